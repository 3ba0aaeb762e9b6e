"""The configuration: every key with its unit, bounds, default and meaning, a file a section.

campaign.py puts the sections of a campaign together; split.py, labels.py, learn.py and runs.py are
those of training.py. reading.py reads files, checks.py looks into the files that they name,
messages.py makes one line of each mistake, reference.py writes the tables of keys.
"""
