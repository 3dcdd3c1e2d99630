"""The command line `synloom`: one module per command, and shared helpers."""
