def page(request):
    """What every template may print, besides `csp_nonce`, which has a context processor of wsgiperf's own."""
    return {"request_id": request.META.get("wsgiperf.request_id", "")}
