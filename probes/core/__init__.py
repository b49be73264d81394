"""What every probe shares: the contract, parameters, statistics, reports, export and plotting.

Nothing here imports torch, open_clip or gradio, so that a saved report can be read and redrawn anywhere.
"""
