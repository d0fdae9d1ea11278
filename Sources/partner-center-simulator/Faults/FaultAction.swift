import HTTPTypes

/// What a fault does. In JSON an object with exactly one member, such as `{"latency": {"ms": 200}}`.
enum FaultAction: Codable, Equatable, Sendable {
    /// The answer comes later.
    case latency(milliseconds: Int)
    /// Any answer.
    case status(StatusAnswer)
    /// 429 in the API's own form; the header says what is given, or what the limit says.
    case throttle(retryAfter: String?)
    /// A refusal that is documented, by its name.
    case refusal(Refusal)
    /// An error of the token endpoint.
    case tokenError(TokenErrorAnswer)
    /// The connection is closed with RST instead of an answer.
    case reset
    /// No answer; the connection is closed after the time, or when the client gives up.
    case hang(milliseconds: Int?)
    /// A success whose JSON is broken.
    case malformed
    /// An answer that ends before its announced length.
    case truncate
    /// A success with a body of so many bytes.
    case huge(bytes: Int)
    /// All access tokens issued so far expire; then the request is judged as usual.
    case expireTokens

    struct StatusAnswer: Codable, Equatable, Sendable {
        var status: Int
        /// Text is sent as it is, anything else as JSON.
        var body: JSON?
        var headers: [String: String]?
        var contentType: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case status, body, headers, contentType
        }

        init(status: Int, body: JSON? = nil, headers: [String: String]? = nil, contentType: String? = nil) {
            self.status = status
            self.body = body
            self.headers = headers
            self.contentType = contentType
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            status = try values.decode(Int.self, forKey: .status)
            body = try values.decodeIfPresent(JSON.self, forKey: .body)
            headers = try values.decodeIfPresent([String: String].self, forKey: .headers)
            contentType = try values.decodeIfPresent(String.self, forKey: .contentType)
            guard (200...599).contains(status) else { throw decoder.refuse("status is from 200 to 599") }
            if let name = headers?.keys.first(where: { HTTPField.Name($0) == nil }) {
                throw decoder.refuse("'\(name)' is no header name")
            }
        }
    }

    struct TokenErrorAnswer: Codable, Equatable, Sendable {
        var error: String
        var code: Int
        var description: String?
        var status: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case error, code, description, status
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            error = try values.decode(String.self, forKey: .error)
            code = try values.decode(Int.self, forKey: .code)
            description = try values.decodeIfPresent(String.self, forKey: .description)
            status = try values.decodeIfPresent(Int.self, forKey: .status)
            guard (200...599).contains(status ?? 400) else { throw decoder.refuse("status is from 200 to 599") }
        }
    }

    /// Whether it replaces the answer; the others only delay or prepare it.
    var replacesAnswer: Bool {
        switch self {
        case .latency, .expireTokens: false
        default: true
        }
    }
}
