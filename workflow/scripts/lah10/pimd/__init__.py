"""Path-integral molecular dynamics by i-PI: exact quantum statistics, to judge the baths by.

A quantum particle has the static properties of a classical ring of beads, copies of it joined by
springs, as their number grows (D. Chandler, P. G. Wolynes, J. Chem. Phys. 74, 4078 (1981)). i-PI
samples these rings; what it is asked to do is in the XML file beside every run.
"""
