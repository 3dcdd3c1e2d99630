"""A compiled network: the image, the places of the network's parts in it, and the quantisation report."""
