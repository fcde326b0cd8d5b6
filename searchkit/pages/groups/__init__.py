"""Groups of students as pages show them: a graph of all, and of each a matrix of its pairs.

Begin in `views.py`. The graph is SVG that the server draws, over a layout by networkx: of the
packages that carry sigma.js, Cytoscape or D3, those that are kept up need React or Jupyter, and the
others are years old; and what is drawn on a canvas can be neither printed nor read out.
"""
