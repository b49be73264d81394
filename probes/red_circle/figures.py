def figures(r): return {}
