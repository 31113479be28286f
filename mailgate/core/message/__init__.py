"""The bytes of a message, understood: structure, charsets, who sent it, whether a robot did."""
