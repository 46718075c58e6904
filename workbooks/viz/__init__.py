"""Draws what a workbook asks for: typed settings and results in, HTML and Plotly figures out. Pure.

What comes from data is escaped where it enters HTML; what is not drawn is a badge that names its JSON path.
"""
