"""The thermal baths: physics without LAMMPS."""
