//! The OpenAPI 3.1 document, made from the same tables as the router.

use serde_json::{Map, Value, json};

use super::route::{Gate, Method, Route, Serves};

/// The document of `routes`.
pub fn document(routes: impl Iterator<Item = &'static Route>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = format!("/api{}", route.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let method = match route.method {
            Method::Get => "get",
            Method::Post => "post",
        };
        if let Value::Object(item) = item {
            item.insert(method.to_owned(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "session": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas()
        }
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "responses": responses(route),
    });
    if let Value::Object(fields) = &mut operation {
        let parameters = parameters(route);
        if !parameters.is_empty() {
            fields.insert("parameters".to_owned(), Value::Array(parameters));
        }
        match route.gate {
            Gate::Action(action) => fields.insert("x-action".to_owned(), action.into()),
            Gate::Reads(noun) => fields.insert("x-reads".to_owned(), noun.into()),
            Gate::SignedIn => fields.insert("x-signed-in".to_owned(), true.into()),
            Gate::Public(reason) => fields.insert("x-public".to_owned(), reason.into()),
        };
        if !matches!(route.gate, Gate::Public(_)) {
            fields.insert("security".to_owned(), json!([{ "session": [] }]));
        }
        if let Serves::Upload(_) = route.serves {
            let body = json!({ "type": "string", "format": "binary" });
            fields.insert(
                "requestBody".to_owned(),
                json!({ "required": true, "content": { "*/*": { "schema": body } } }),
            );
        }
        let posted = route.method == Method::Post;
        let with_body = match route.serves {
            Serves::Command { .. } | Serves::Preview(_) => true,
            Serves::Question(_) => posted,
            Serves::List | Serves::Record | Serves::Kernel(_) | Serves::Upload(_) => false,
        };
        if with_body {
            let body = json!({ "type": "object", "additionalProperties": true });
            fields.insert(
                "requestBody".to_owned(),
                json!({ "required": true, "content": { "application/json": { "schema": body } } }),
            );
        }
    }
    operation
}

fn operation_id(route: &Route) -> String {
    match (route.gate, route.serves) {
        (_, Serves::Question(_) | Serves::Upload(_)) => {
            let path = route.path.trim_matches('/').replace("/{id}", "");
            path.replace(['{', '}'], "").replace('/', "_")
        }
        (_, Serves::Preview(_)) => route.path.trim_matches('/').replace('/', "_"),
        (Gate::Action(action), _) => action.replace(':', "_"),
        (_, Serves::List) => format!("{}_list", route.path.trim_matches('/')),
        (_, Serves::Record) => {
            format!("{}_get", route.path.trim_matches('/').replace("/{id}", ""))
        }
        (_, Serves::Kernel(name)) => name.replace('-', "_"),
        (_, Serves::Command { tag, .. }) => tag.to_owned(),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters = Vec::new();
    let text = json!({ "type": "string" });
    if route.path.contains("{id}") {
        let schema = json!({ "type": "string", "format": "uuid" });
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": schema }));
    }
    if route.path.contains("{digest}") {
        let schema = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
        let digest = json!({ "name": "digest", "in": "path", "required": true, "schema": schema });
        parameters.push(digest);
    }
    let as_of = || {
        let time = json!({ "type": "string", "format": "date-time" });
        json!({ "name": "as_of", "in": "query", "schema": time })
    };
    match route.serves {
        Serves::List => {
            parameters.push(as_of());
            parameters.push(json!({ "name": "cursor", "in": "query", "schema": text }));
            let limit = json!({ "type": "integer", "minimum": 1,
                                "maximum": base::limit::PAGE_RECORDS });
            parameters.push(json!({ "name": "limit", "in": "query", "schema": limit }));
        }
        Serves::Record => parameters.push(as_of()),
        Serves::Command { .. } => {
            let key = json!({ "type": "string", "minLength": 1,
                              "maxLength": base::limit::IDEMPOTENCY_KEY_BYTES });
            parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": true,
                                    "schema": key }));
        }
        Serves::Question(question) | Serves::Upload(question) => {
            for name in question.query {
                parameters.push(json!({ "name": name, "in": "query", "schema": text }));
            }
        }
        Serves::Kernel(_) | Serves::Preview(_) => {}
    }
    parameters
}

fn responses(route: &Route) -> Value {
    let content = |schema: &str| {
        let reference = format!("#/components/schemas/{schema}");
        json!({ "description": "done",
                "content": { "application/json": { "schema": { "$ref": reference } } } })
    };
    let mut responses = Map::new();
    match route.serves {
        Serves::List => responses.insert("200".to_owned(), content("Page")),
        Serves::Record => responses.insert("200".to_owned(), content("Rendition")),
        Serves::Command { .. } => responses.insert("201".to_owned(), content("Accepted")),
        Serves::Kernel("live") => {
            responses.insert("101".to_owned(), json!({ "description": "a WebSocket" }))
        }
        Serves::Kernel("sign-out") => {
            responses.insert("204".to_owned(), json!({ "description": "signed out" }))
        }
        Serves::Preview(_) | Serves::Question(_) if route.method == Method::Post => {
            let schema = json!({ "type": "object", "additionalProperties": true });
            let content = json!({ "application/json": { "schema": schema } });
            responses.insert(
                "200".to_owned(),
                json!({ "description": "the answer", "content": content }),
            )
        }
        Serves::Upload(_) => responses.insert("201".to_owned(), json!({ "description": "taken" })),
        Serves::Kernel(_) | Serves::Question(_) | Serves::Preview(_) => {
            responses.insert("200".to_owned(), json!({ "description": "done" }))
        }
    };
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    responses.insert(
        "default".to_owned(),
        json!({ "description": "refused; `type` says why",
                "content": { "application/problem+json": { "schema": problem } } }),
    );
    Value::Object(responses)
}

fn schemas() -> Value {
    let (id, text) = (json!({ "type": "string", "format": "uuid" }), json!({ "type": "string" }));
    let time = json!({ "type": "string", "format": "date-time" });
    let maybe = |schema: &Value| json!({ "anyOf": [schema, { "type": "null" }] });
    let body = json!({ "type": "object", "additionalProperties": true });
    let place = json!({ "type": "object", "required": ["lat", "lon"],
        "properties": { "lat": { "type": "number" }, "lon": { "type": "number" } } });
    json!({
        "Problem": { "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": { "type": text, "title": text, "status": { "type": "integer" },
                            "detail": text } },
        "Accepted": { "type": "object", "required": ["record", "entry", "at", "receipt"],
            "properties": { "record": id, "entry": id, "at": time, "receipt": text,
                            "told": body } },
        "Layer": { "type": "object",
            "required": ["id", "label", "mark", "circle", "changed_at", "erased", "body"],
            "properties": { "id": id, "label": body, "mark": text, "circle": maybe(&id),
                            "changed_at": time, "erased": { "type": "integer" },
                            "body": body } },
        "Rendition": { "type": "object",
            "required": ["id", "kind", "agency", "etag", "banner", "changed_at", "state", "due_at",
                         "place", "operation", "layers"],
            "properties": { "id": id, "kind": text, "agency": id, "etag": text, "banner": text,
                "changed_at": time, "state": maybe(&text), "due_at": maybe(&time),
                "place": maybe(&place), "operation": maybe(&id),
                "layers": { "type": "array",
                    "items": { "$ref": "#/components/schemas/Layer" } } } },
        "Page": { "type": "object", "required": ["items", "next", "total"],
            "properties": { "items": { "type": "array",
                "items": { "$ref": "#/components/schemas/Rendition" } },
                "next": maybe(&text), "total": { "type": "integer" } } }
    })
}
