"""The first multiple in a range, by which tests of the decay skip steps that lose nothing."""


def first_in(c, modulus, low, high):
    """Return the least k >= 0 with low <= c * k mod modulus <= high, as Euclid would."""
    if low == 0:
        return 0
    c %= modulus
    if 2 * c > modulus:
        return first_in(modulus - c, modulus, modulus - high, modulus - low)
    k = -(-low // c)
    if k * c <= high:
        return k
    return -(-(low + modulus * first_in(modulus % c, c, -high % c, -low % c)) // c)
