/* route.h: a route is one row of a table that says everything about it.
 *
 * The tables of all api/ files together are the API: the server dispatches by them, checks roles
 * and bodies by them, and prints the OpenAPI document and help from them. A handler is three moves:
 * read, call one domain function, write. It holds no SQL and no rule.
 *
 *     static bool show_experiment(Scope *scope, const Request *request, Response *response)
 *     {
 *         Experiment found;
 *
 *         if (!experiment_find(scope, request_parameter(request, "name"), &found))
 *             return false;
 *         experiment_write_json(response->json, NULL, &found);
 *         return true;
 *     }
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"
#include "base/json.h"
#include "net/http.h"

enum {
    ROUTE_PARAMETERS_MAX = 4,
    REQUEST_BODY_BYTES_MAX = 16 * 1024 * 1024,
    FAST_BODY_BYTES_MAX = 64 * 1024,
    RESPONSE_HEADERS_MAX = 3,
};

/* Of a file that is sent: 1 TiB, as long as the disk has room. */
#define FILE_BYTES_MAX ((size_t)1 << 40)

typedef struct Request {
    const char *method;
    const char *path;   /* as sent, without the query */
    TextList segments;  /* of the path, decoded */
    HttpPairList query; /* decoded */
    HttpPairList headers;
    const char *body; /* never NULL */
    size_t body_size;
    const char *
        body_file; /* set instead of body where the route takes a file; deleted after the handler */
    bool may_take_file;       /* body_file is this request's alone: it may be moved away */
    const char *content_type; /* or NULL */
    HttpPair parameters[ROUTE_PARAMETERS_MAX]; /* of the path: {name} */
    const char *allowed;                       /* after ERROR_METHOD: "GET, HEAD" */
    void *application;                         /* what the server wires in; see api/api.h */
    void *prepared;                            /* by the route's prepare */
} Request;

typedef struct Response {
    int status;       /* 200 unless the handler says otherwise */
    JsonWriter *json; /* the answer, unless one of the next is set */
    const char *content_type;
    const char *body; /* instead of json */
    size_t body_size;
    const char *file; /* instead of json: a path whose bytes are the answer */
    HttpPair
        headers[RESPONSE_HEADERS_MAX]; /* besides the usual ones; those without a name are none */
} Response;

/* Fills the response, or fails; the scope's error then becomes the response. */
typedef bool Handler(Scope *scope, const Request *request, Response *response);

/* What a ROUTE_WRITE does before its write, so that the writer's thread has less to do: it leaves
 * in request->prepared what the handler takes. */
typedef bool Prepare(Scope *scope, Request *request);

typedef enum RouteKind {
    ROUTE_READ,  /* reads the store, quickly */
    ROUTE_WRITE, /* the whole handler runs inside one scope_write() */
    ROUTE_FAST,  /* touches neither store nor disk: runs on the loop that read the request, with a
                    body over its fast_body_bytes_max on a worker; its scope has no db */
    ROUTE_SLOW,  /* may take long (children, network, big files); it calls scope_write() itself */
} RouteKind;

typedef enum RouteBody { BODY_JSON, BODY_TEXT, BODY_FILE } RouteBody;

typedef struct Route {
    const char *method;
    const char *path; /* "/api/v1/runs/{run_id}": {name} stands for one part, a last {*name} for all
                         that are left */
    Role role;        /* the least role that may call it */
    RouteKind kind;
    Handler *handler;
    const char *summary;    /* one sentence, for OpenAPI and help */
    const JsonField *body;  /* NULL: takes none (BODY_JSON) */
    const JsonField *query; /* NULL: takes none */
    RouteBody body_kind;
    size_t body_bytes_max;      /* 0: REQUEST_BODY_BYTES_MAX */
    size_t fast_body_bytes_max; /* of a ROUTE_FAST, on the loop; 0: FAST_BODY_BYTES_MAX */
    bool is_probe;              /* on the port for probes too; a ROUTE_FAST */
    bool takes_encodings;       /* the handler unpacks the body by its "Content-Encoding" */
    Prepare *prepare;           /* of a ROUTE_WRITE; or NULL */
} Route;

/* The route for this request, whose parameters it fills in. NULL: nothing is at this path
 * (ERROR_NOT_FOUND), or it takes other methods (ERROR_METHOD). HEAD finds GET's route. */
const Route *route_find(Request *request, Arena *arena, Error *error);

/* The same without parameters and reasons; allocates nothing. */
const Route *route_match(const char *method, const TextList *segments);

/* The parameters of a route that route_match() found for this request. */
void route_fill_parameters(const Route *route, Request *request, Arena *arena);

/* Whether a body of this size is work for a worker. */
bool route_needs_worker(const Route *route, size_t body_size);

/* Whether it is one of MLflow's: read and answered by its rules (api/mlflow.h). Such a route is
 * also at /ajax-api, and empty parts of its path do not count. */
bool route_speaks_mlflow(const Route *route);

/* Of a request that has no route: whether it is at a place where MLflow has some. */
bool route_is_looked_for_by_mlflow(const Request *request);

/* The part of the path that stands for {name}; the route has it, so it cannot fail. Of {*name}, all
 * its parts with "/" between. */
const char *request_parameter(const Request *request, const char *name);

/* The first header of that name in any case, or NULL. */
const char *request_header(const Request *request, const char *name);

bool request_body_size(Scope *scope, const Request *request, int64_t *size) MUST_CHECK;

/* Adds the body's bytes to the artifact store. */
bool request_store_body(Scope *scope, const Request *request, Artifact *artifact) MUST_CHECK;

/* Reads the body by the route's table. */
bool request_read(Scope *scope, const Request *request, const JsonField fields[],
                  void *target) MUST_CHECK;

/* Reads the query by the same kind of table: texts, integers, numbers and booleans; lists of texts,
 * which may be given several times. */
bool request_read_query(Scope *scope, const Request *request, const JsonField fields[],
                        void *target) MUST_CHECK;

/* The page of a list that the query asks for: fields are page_by_name_fields or
 * page_by_number_fields. */
bool request_read_page(Scope *scope, const Request *request, const JsonField fields[],
                       Page *page) MUST_CHECK;
