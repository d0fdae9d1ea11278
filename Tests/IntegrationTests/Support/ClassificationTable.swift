import JSON

/// What an answer means, with the bodies that Microsoft's services and what stands before them
/// send. The one row that is missing, a refused client secret, fails nothing: see `OutageTests`.
enum ClassificationTable {
    typealias Row = ClassificationRow
    typealias Trouble = ClassificationRow.Trouble
    typealias Expected = ClassificationRow.Expected

    static let rows =
        successes + alreadyThere + notFound + transient + throttled + unauthorized + privileges + invalid + unexpected
        + afterAnUnknownOutcome + tokens

    // MARK: - Shapes of bodies

    /// Partner Center's. Documented with a text for code, sent with a number.
    static func classic(_ code: JSONValue, _ description: String) -> JSONValue {
        ["code": code, "description": .string(description), "data": [], "source": "PartnerFD"]
    }

    /// Partner Center's, around what the directory behind it said.
    static func embedded(_ code: String, _ message: String) -> JSONValue {
        let inner: JSONValue = [
            "odata.error": ["code": .string(code), "message": ["lang": "en", "value": .string(message)]]
        ]
        return classic(2000, inner.text)
    }

    /// The gateway's in front of Partner Center.
    static func gateway(_ status: Int, _ message: String) -> JSONValue {
        ["statusCode": JSONValue(status), "message": .string(message)]
    }

    /// Graph's, and that of newer gateways.
    static func graph(_ code: String, _ message: String, inner: String? = nil) -> JSONValue {
        var details: JSONValue = ["date": "2026-12-01T09:00:00", "request-id": "1", "client-request-id": "2"]
        if let inner { details = ["code": .string(inner), "innerError": details] }
        return ["error": ["code": .string(code), "message": .string(message), "innerError": details]]
    }

    static func html(_ status: Int, _ title: String) -> Trouble {
        .status(
            status,
            .string("<html><head><title>\(status) \(title)</title></head><body><hr>nginx</body></html>"),
            type: "text/html"
        )
    }

    static func xml(_ status: Int, _ message: String) -> Trouble {
        .status(
            status,
            .string(#"<?xml version="1.0"?><Error><Code>2000</Code><Message>\#(message)</Message></Error>"#),
            type: "application/xml; charset=utf-8"
        )
    }

    static func retryAfter(_ status: Int, _ value: String, _ body: JSONValue? = nil) -> Trouble {
        .status(status, body, headers: [("Retry-After", value)])
    }

    /// More than the worker takes.
    static let huge = Trouble(action: ["huge": ["bytes": 17_000_000]])
    static let reset = Trouble(action: ["reset": [:]])
    static let hang = Trouble(action: ["hang": [:]])
    static let truncated = Trouble(action: ["truncate": [:]])
    static let malformed = Trouble(action: ["malformed": [:]])

    // MARK: - 2xx

    private static let done: [Expected] = [.did("granted"), .did("revoked"), .did("read")]

    private static let successes = [
        Row("nothing wrong", grant: done[0], revoke: done[1], query: done[2]),
        Row("200", .status(200, ["value": []]), grant: done[0], revoke: done[1], query: done[2]),
        Row("201", .status(201, ["value": []]), grant: done[0], revoke: done[1], query: done[2]),
        Row("201 in words", .status(201, "deleted"), grant: done[0], revoke: done[1], query: nil),
        Row("202", .status(202), grant: done[0], revoke: done[1], query: nil),
        Row("204", .status(204), grant: done[0], revoke: done[1], query: nil),
        Row("2xx, broken JSON", malformed, grant: done[0], revoke: done[1], query: .failed("malformedResponse")),
    ]

    // MARK: - There already

    private static let exists = "Permission entry already exists."

    private static func exists(_ name: String, _ trouble: Trouble, code: String? = nil) -> Row {
        let refusal = Expected.failed(trouble.status == 409 ? "conflict" : "invalidRequest", code: code)
        return Row(name, trouble, grant: .did("alreadyGranted"), revoke: refusal, query: refusal)
    }

    private static let alreadyThere = [
        Row("done before", grant: .did("alreadyGranted"), revoke: .did("alreadyRevoked"), query: done[2]).before(),
        exists("409, empty", .status(409)),
        exists("409, classic", .status(409, classic(2000, exists)), code: "2000"),
        exists("409, classic, text for code", .status(409, classic("600006", "Conflict")), code: "600006"),
        exists(
            "409, Graph's",
            .status(409, graph("Request_MultipleObjectsWithSameKeyValue", exists)),
            code: "Request_MultipleObjectsWithSameKeyValue"
        ),
        exists("400 exists, classic", .status(400, classic(400, exists)), code: "400"),
        exists("400 exists, classic, text for code", .status(400, classic("400", exists)), code: "400"),
        exists("400 exists, embedded", .status(400, embedded("Request_BadRequest", exists)), code: "2000"),
        exists(
            "400 exists, Graph's",
            .status(400, graph("Request_BadRequest", exists)),
            code: "Request_BadRequest"
        ),
        exists("400 exists, text", .status(400, .string(exists))), exists("400 exists, XML", xml(400, exists)),
    ]

    // MARK: - 404

    private static func missing(_ name: String, _ trouble: Trouble, code: String? = nil) -> Row {
        Row(
            name,
            trouble,
            grant: .failed("customerNotFound", code: code),
            revoke: .did("alreadyRevoked"),
            query: .failed("notFound", code: code)
        )
    }

    private static let notFound = [
        missing("404, empty", .status(404)),
        missing("404, classic", .status(404, classic(1000, "The customer was not found.")), code: "1000"),
        missing("404, classic, text for code", .status(404, classic("3000", "Not found.")), code: "3000"),
        missing(
            "404, Graph's",
            .status(404, graph("Request_ResourceNotFound", "Resource does not exist.")),
            code: "Request_ResourceNotFound"
        ), missing("404, HTML", html(404, "Not Found")),
    ]

    // MARK: - Tried again

    private static let transient = [
        Row("408 passes", passes: Trouble.status(408).once),
        Row("500 passes", passes: Trouble.status(500, classic(3000, "Internal error.")).once),
        Row("502 passes", passes: html(502, "Bad Gateway").once),
        Row("503 passes", passes: Trouble.status(503, graph("ServiceNotAvailable", "Busy.")).once),
        Row("504 passes", passes: Trouble.status(504, "upstream request timeout").once),
        Row("reset passes", passes: reset.once), Row("hang passes", passes: hang.once),
        Row("cut short passes", passes: truncated.once),
        Row("408 persists", persists: .status(408), "apiUnavailable"),
        Row("500 persists", persists: .status(500, classic(3000, "Internal.")), "apiUnavailable", code: "3000"),
        Row("502 persists", persists: html(502, "Bad Gateway"), "apiUnavailable"),
        Row("503 persists", persists: xml(503, "Down for maintenance."), "apiUnavailable"),
        Row(
            "504 persists",
            persists: .status(504, graph("UnknownError", "")),
            "apiUnavailable",
            code: "UnknownError"
        ), Row("reset persists", persists: reset, "connectionFailed"),
        Row("hang persists", persists: hang, "requestTimedOut"),
        Row("cut short persists", persists: truncated, "connectionFailed"),
        Row("503 says 1 s", passes: retryAfter(503, "1").once, wait: 0.99),
        // Cut to a second, which is what the test's configuration allows at most.
        Row("503 says a day", passes: retryAfter(503, "86400").once, wait: 0.99),
        Row("503 says an age", passes: retryAfter(503, "9223372036854775807").once, wait: 0.99),
        Row("503 says a date", passes: retryAfter(503, "Fri, 31 Dec 2100 23:59:59 GMT").once, wait: 0.99),
        Row("503 says yesterday", passes: retryAfter(503, "Sun, 06 Nov 1994 08:49:37 GMT").once),
        Row("503 says minus", passes: retryAfter(503, "-86400").once),
        Row("503 says too many digits", passes: retryAfter(503, "99999999999999999999999").once),
        Row("503 says soon", passes: retryAfter(503, "soon").once),
    ]

    private static let throttled = [
        Row(
            "429, gateway",
            passes: retryAfter(429, "1", gateway(429, "Rate limit is exceeded. Try again in 1 seconds.")).once,
            requestIDs: 2,
            wait: 0.99
        ),
        Row(
            "429, Graph's",
            passes: retryAfter(429, "1", graph("TooManyRequests", "Too many requests.", inner: "429")).once,
            requestIDs: 2,
            wait: 0.99
        ),
        Row("429 says a day", passes: retryAfter(429, "86400", "slow down").once, requestIDs: 2, wait: 0.99),
        Row(
            "429 says a date",
            passes: retryAfter(429, "Fri, 31 Dec 2100 23:59:59 GMT").once,
            requestIDs: 2,
            wait: 0.99
        ), Row("429 says yesterday", passes: retryAfter(429, "Sun, 06 Nov 1994 08:49:37 GMT").once, requestIDs: 2),
        Row("429 says soon", passes: retryAfter(429, "soon").once, requestIDs: 2),
        Row("429, empty", passes: Trouble.status(429).once, requestIDs: 2),
    ]

    // MARK: - Refused

    private static func refused(_ name: String, _ trouble: Trouble, _ category: String, code: String? = nil) -> Row {
        Row(name, trouble, all: .failed(category, code: code))
    }

    private static let unauthorized = [
        Row("401 passes", passes: Trouble.status(401, classic(1001, "The token has expired.")).once, requestIDs: 2),
        Row("401 persists", .status(401), all: .failed("unauthorized", requests: 2, requestIDs: 2)),
        Row(
            "401 persists, gateway",
            .status(401, gateway(401, "Access denied."), headers: [("WWW-Authenticate", "Bearer")]),
            all: .failed("unauthorized", code: "401", requests: 2, requestIDs: 2)
        ),
        Row(
            "401 persists, Graph's",
            .status(401, graph("InvalidAuthenticationToken", "Access token is empty.")),
            all: .failed("unauthorized", code: "InvalidAuthenticationToken", requests: 2, requestIDs: 2)
        ),
        refused(
            "401 without MFA",
            .status(401, classic(900_421, "MFA required.")),
            "partnerReauthorizationRequired",
            code: "900421"
        ),
        refused(
            "401 without MFA, text for code",
            .status(401, classic("900421", "MFA required.")),
            "partnerReauthorizationRequired",
            code: "900421"
        ),
        refused(
            "401 without MFA, newer gateway",
            .status(401, graph("900421", "MFA required.")),
            "partnerReauthorizationRequired",
            code: "900421"
        ),
        refused("401 without MFA, text", .status(401, "Error 900421: MFA required"), "partnerReauthorizationRequired"),
    ]

    private static let denied = "Insufficient privileges to complete the operation."

    private static let privileges = [
        refused("403, empty", .status(403), "insufficientPrivileges"),
        refused("403, role", .status(403, classic(2032, "Access denied.")), "insufficientPrivileges", code: "2032"),
        refused(
            "403, relationship",
            .status(403, classic("20002", "No relationship.")),
            "insufficientPrivileges",
            code: "20002"
        ),
        refused(
            "403, Graph's",
            .status(403, graph("Authorization_RequestDenied", denied)),
            "insufficientPrivileges",
            code: "Authorization_RequestDenied"
        ), refused("403, HTML", html(403, "Forbidden"), "insufficientPrivileges"),
        refused(
            "400 privileges, embedded",
            .status(400, embedded("Authorization_RequestDenied", denied)),
            "insufficientPrivileges",
            code: "2000"
        ),
        refused(
            "400 privileges, bare",
            .status(
                400,
                [
                    "odata.error": [
                        "code": "Authorization_RequestDenied", "message": ["lang": "en", "value": .string(denied)],
                    ]
                ]
            ),
            "insufficientPrivileges",
            code: "Authorization_RequestDenied"
        ),
        refused(
            "400 privileges, Graph's",
            .status(400, graph("Authorization_RequestDenied", denied)),
            "insufficientPrivileges",
            code: "Authorization_RequestDenied"
        ),
    ]

    private static let invalid = [
        refused(
            "400 principal, classic",
            .status(400, classic(2000, "The customer's tenant lacks a service principal for the resource.")),
            "resourceNotProvisioned",
            code: "2000"
        ),
        refused(
            "400 principal, embedded",
            .status(400, embedded("Request_BadRequest", "The tenant lacks a service principal.")),
            "resourceNotProvisioned",
            code: "2000"
        ), refused("400 licence, text", .status(400, "The tenant is not licensed."), "resourceNotProvisioned"),
        refused("400, empty", .status(400), "invalidRequest"),
        refused("400, classic", .status(400, classic(2000, "Bad scope.")), "invalidRequest", code: "2000"),
        refused(
            "400, Graph's",
            .status(400, graph("BadRequest", "Invalid filter.")),
            "invalidRequest",
            code: "BadRequest"
        ),
        refused("400, XML", xml(400, "Bad scope."), "invalidRequest"),
        refused("400, no object", .status(400, ["Bad scope."]), "invalidRequest"),
        refused("405", .status(405), "invalidRequest"), refused("410", .status(410), "invalidRequest"),
        refused("415", html(415, "Unsupported Media Type"), "invalidRequest"),
        refused("422", .status(422, classic(60012, "Not valid.")), "invalidRequest", code: "60012"),
    ]

    private static let elsewhere = [("Location", "http://127.0.0.1:9/elsewhere")]

    private static let unexpected = [
        refused("301", .status(301, headers: elsewhere), "unexpectedStatus"),
        refused("302", .status(302, headers: elsewhere), "unexpectedStatus"),
        refused("307", .status(307, headers: elsewhere), "unexpectedStatus"),
        refused("402", .status(402), "unexpectedStatus"), refused("412", .status(412), "unexpectedStatus"),
        refused("501", .status(501, "not implemented"), "unexpectedStatus"),
        refused("505", .status(505), "unexpectedStatus"), refused("509", html(509, "Bandwidth"), "unexpectedStatus"),
        Row(
            "too large an answer",
            huge,
            grant: .failed("responseTooLarge", effect: "unknown", requests: 2),
            revoke: .failed("responseTooLarge", effect: "unknown", requests: 2),
            query: .failed("responseTooLarge")
        ),
    ]

    // MARK: - A write of which nobody knows

    private static let afterAnUnknownOutcome = [
        Row("500 after the effect", passes: Trouble.status(500).once.afterItsEffect),
        Row("reset after the effect", passes: reset.once.afterItsEffect),
        Row("hang after the effect", passes: hang.once.afterItsEffect),
        Row("500, then 429", passes: Trouble.status(500).once, retryAfter(429, "0").once, requestIDs: 2),
        Row(
            "reset, then 409",
            reset.once,
            .status(409),
            grant: .did("alreadyGranted", requests: 2),
            revoke: .failed("conflict", effect: "unknown", requests: 2),
            query: .failed("conflict", requests: 2)
        ),
        Row(
            "reset, then 404",
            reset.once,
            .status(404),
            grant: .failed("customerNotFound", effect: "unknown", requests: 2),
            revoke: .did("alreadyRevoked", requests: 2),
            query: .failed("notFound", requests: 2)
        ),
        Row(
            "500, then 403",
            Trouble.status(500).once,
            .status(403),
            grant: .failed("insufficientPrivileges", effect: "unknown", requests: 2),
            revoke: .failed("insufficientPrivileges", effect: "unknown", requests: 2),
            query: .failed("insufficientPrivileges", requests: 2)
        ),
    ]

    // MARK: - No token

    private static func noToken(_ category: String, code: String?) -> Expected {
        .failed(category, code: code, requests: 0, requestIDs: 0)
    }

    /// The partner's refresh token in the eyes of the partner's own tenant, of a customer's, and of both.
    private static func expired(_ code: Int) -> [Row] {
        let name = "AADSTS\(code)"
        let trouble = Trouble.token("invalid_grant", code)
        let refusal = noToken("partnerReauthorizationRequired", code: name)
        return [
            Row(
                name,
                trouble,
                grant: refusal,
                revoke: refusal,
                query: noToken("customerConditionalAccess", code: name)
            ), Row("\(name) at both", atCustomer: trouble, trouble.at(.partnerToken), query: refusal),
        ]
    }

    private static func customers(_ category: String, _ error: String, _ codes: Int...) -> [Row] {
        codes.map { code in
            Row(
                "AADSTS\(code) \(error)",
                atCustomer: .token(error, code),
                query: noToken(category, code: "AADSTS\(code)")
            )
        }
    }

    private static let tokens =
        [700_082, 70008, 50173, 70043, 50089].flatMap(expired)
        + customers("customerNotConsented", "invalid_grant", 65001, 90099)
        + customers("customerNotConsented", "unauthorized_client", 700_016)
        + customers("customerConditionalAccess", "interaction_required", 50076, 50079, 50074, 50078, 50158)
        + customers("customerConditionalAccess", "invalid_grant", 53003, 530_032)
        + customers("customerAccessLost", "invalid_grant", 50020, 50034, 90072, 50177)
        + customers("customerTenantNotFound", "invalid_request", 90002, 900_023)
        + customers("customerTenantNotFound", "invalid_grant", 5_000_224)
        + customers("serviceNotSubscribed", "invalid_resource", 500_011)
        // Told as the client's fault, though it is the customer's tenant that lacks something.
        + customers("serviceNotSubscribed", "invalid_client", 650_052)
        + customers("customerNotConsented", "invalid_client", 7_000_229)
        + customers("customerNotConsented", "invalid_grant", 99_999_999) + tokensOfThePartner + tokensInAnOutage

    private static let tokensOfThePartner =
        [
            ("interaction_required", 50076), ("invalid_grant", 53003), ("invalid_grant", 65001), ("invalid_grant", 1),
        ].map { error, code in
            let refusal = noToken("partnerReauthorizationRequired", code: "AADSTS\(code)")
            return Row("AADSTS\(code) at the partner", .token(error, code), grant: refusal, revoke: refusal, query: nil)
        }
        + [("unauthorized_client", 700_016), ("invalid_scope", 70011), ("invalid_request", 90002)].map { error, code in
            let refusal = noToken("unauthorized", code: "AADSTS\(code)")
            return Row("\(error) at the partner", .token(error, code), grant: refusal, revoke: refusal, query: nil)
        }

    private static func noTokenNow(_ name: String, _ trouble: Trouble, code: String? = nil) -> [Row] {
        [
            Row("no token, \(name), passes", passes: trouble.once),
            Row("no token, \(name), persists", trouble, all: noToken("identityUnavailable", code: code)),
        ]
    }

    private static let tokensInAnOutage =
        noTokenNow("503", .token("temporarily_unavailable", 90033), code: "AADSTS90033")
        + noTokenNow("429", .token("temporarily_unavailable", 90055, status: 429), code: "AADSTS90055")
        + noTokenNow("90006", .token("server_error", 90006, status: 400), code: "AADSTS90006")
        + noTokenNow("a race", .token("invalid_client", 650_051, status: 400), code: "AADSTS650051")
        + noTokenNow("HTML", html(502, "Bad Gateway").at(.token))
        + noTokenNow("empty", Trouble.status(500).at(.token)) + noTokenNow("reset", reset.at(.token)) + [
            Row("no token, broken JSON, passes", passes: malformed.at(.token).once),
            Row("no token, broken JSON, persists", malformed.at(.token), all: noToken("malformedResponse", code: nil)),
        ]
}
