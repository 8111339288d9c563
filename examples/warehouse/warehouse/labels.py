"""Labels in Code 39: each character is nine bars and gaps, three of them wide."""


def barcode(text):
    """The bars and gaps of a code, narrow (n) and wide (w), from bar to bar."""
    digits = {
        "0": "nnnwwnwnn", "1": "wnnwnnnnw", "2": "nnwwnnnnw", "3": "wnwwnnnnn", "4": "nnnwwnnnw",
        "5": "wnnwwnnnn", "6": "nnwwwnnnn", "7": "nnnwnnwnw", "8": "wnnwnnwnn", "9": "nnwwnnwnn",
    }  # fmt: skip
    letters = {
        "A": "wnnnnwnnw", "B": "nnwnnwnnw", "C": "wnwnnwnnn", "D": "nnnnwwnnw", "E": "wnnnwwnnn",
        "F": "nnwnwwnnn", "G": "nnnnnwwnw", "H": "wnnnnwwnn", "K": "wnnnnnnww", "L": "nnwnnnnww",
        "M": "wnwnnnnwn", "N": "nnnnwnnww", "P": "nnwnwnnwn", "R": "wnnnnnwwn", "S": "nnwnnnwwn",
        "T": "nnnnwnwwn", "-": "nwnnnnwnw", "*": "nwnnwnwnn",
    }  # fmt: skip
    bars = ""
    for character in "*" + text + "*":
        if character in digits:
            bars += digits[character] + "n"
        else:
            bars += letters[character] + "n"
    return bars


def width(bars):
    """The width in units; a wide bar or gap is three units."""
    units = 0
    for bar in bars:
        units += 3 if bar == "w" else 1
    return units
