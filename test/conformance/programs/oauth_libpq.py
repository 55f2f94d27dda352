# Signs in by OAUTHBEARER with PostgreSQL's own client library (libpq 18), and prints what happened as JSON.
# arguments: path of libpq, connection string, token
import ctypes
import json
import sys

path, conninfo, token = sys.argv[1:]
libpq = ctypes.CDLL(path)
for name, result in [("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p)]:
    getattr(libpq, name).restype = result
for name in ["PQerrorMessage", "PQgetvalue"]:
    getattr(libpq, name).restype = ctypes.c_char_p


class Request(ctypes.Structure):  # PGoauthBearerRequest of libpq-fe.h
    _fields_ = [
        ("openid_configuration", ctypes.c_char_p),
        ("scope", ctypes.c_char_p),
        ("poll", ctypes.c_void_p),
        ("cleanup", ctypes.c_void_p),
        ("token", ctypes.c_char_p),
        ("user", ctypes.c_void_p),
    ]


asked = []
kept = token.encode()


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def hook(kind, _connection, data):
    if kind != 1:  # PQAUTHDATA_OAUTH_BEARER_TOKEN
        return 0
    request = ctypes.cast(data, ctypes.POINTER(Request)).contents
    asked.append([(text or b"").decode() for text in (request.openid_configuration, request.scope)])
    request.token = kept
    return 1


libpq.PQsetAuthDataHook(hook)
connection = ctypes.c_void_p(libpq.PQconnectdb(conninfo.encode()))
answer = {"version": libpq.PQlibVersion(), "status": libpq.PQstatus(connection), "asked": asked}
answer["error"] = libpq.PQerrorMessage(connection).decode()
if answer["status"] == 0:
    result = ctypes.c_void_p(libpq.PQexec(connection, b"select 'signed in'"))
    answer["row"] = libpq.PQgetvalue(result, 0, 0).decode()
libpq.PQfinish(connection)
print(json.dumps(answer))
