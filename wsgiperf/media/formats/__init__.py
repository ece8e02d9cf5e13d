"""The picture formats as files: what a header says, and what can be cut out without decoding.

Only the standard library is used here, and nothing is decoded or inflated.
"""
