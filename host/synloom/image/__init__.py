"""What the compiler makes of a network: the image, the places in it, the quantisation report."""
