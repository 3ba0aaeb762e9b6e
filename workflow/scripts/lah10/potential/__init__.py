"""The deep potential: data, training, validation."""
