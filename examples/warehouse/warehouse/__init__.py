"""The monthly report of a mail-order warehouse."""
