"""How times are written: figures, Chinese, English."""
