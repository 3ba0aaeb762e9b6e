"""Labels and the data sets made of them."""
