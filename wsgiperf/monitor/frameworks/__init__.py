"""What frameworks know of a request, heard from themselves: for any application, however it is wrapped.

Neither of them lets an exception pass to WSGI. A host that wraps one application tells the same.
"""
