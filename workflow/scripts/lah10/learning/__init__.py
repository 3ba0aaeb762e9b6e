"""Active learning: rounds that explore, select, label and train.

A round explores a grid by molecular dynamics on the committee's first model (`explore`), evaluates
all models on the stored frames and selects those on which they disagree (`select`), has these
labelled (`potential.data`), and trains every model on with the labels of all rounds (`prepare`).
Rounds end when the share of frames above a lower bound is small; `record` keeps what each did.
"""
