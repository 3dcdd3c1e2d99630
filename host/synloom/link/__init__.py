"""The line to an array: codec, transports, and the client that makes a Port of them."""
