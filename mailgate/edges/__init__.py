"""The thin edges: translate, call one function, translate back."""
