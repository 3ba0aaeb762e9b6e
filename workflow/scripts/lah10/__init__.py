"""Phase diagrams of LaH10 with classical and quantum nuclei: the package behind the workflow."""

__version__ = "0.1.0"

#: Element order used everywhere: LAMMPS types 1, 2, DP types 0, 1, and every `element` dimension.
ELEMENTS = ("La", "H")
