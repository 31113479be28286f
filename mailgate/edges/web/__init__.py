"""The client area: small pages over the desk's core and store, served inside the daemon's loop.

`routes` is the table of its pages; each file of handlers has one subject. A handler gets an `Ask` and gives an
`Answer`; `site` stands between both and HTTP: who asks, whether they may, what every answer says of itself.
"""
