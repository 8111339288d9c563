"""Language models as proposers: what is asked, of whom, at what cost, and what is answered."""
