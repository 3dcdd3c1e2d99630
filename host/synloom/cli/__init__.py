"""The command line `synloom`: one file a command, and what they share."""
