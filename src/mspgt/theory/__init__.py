"""The theory, computed: H-VIB, rates, β̂, information by layer, near-Markov flow, Fisher sensitivity."""
