import ConsentContract
import HTTP
import JSON
import MicrosoftAPI
import Resilience

/// Reads a query's answer to its end: further pages, and what belongs to each item where it is wanted.
///
/// Every request has its own retries, so one that fails for a while does not begin the answer anew.
struct QueryReader {
    private let requests: RequestExecutor
    private let endpoints: Endpoints
    private let bounds: Configuration.QueryBounds
    private let command: Command
    private let message: ReceivedMessage
    private let started: ContinuousClock.Instant
    private var answer: AnswerPages
    private var isTruncated = false

    init(
        requests: RequestExecutor,
        endpoints: Endpoints,
        bounds: Configuration.QueryBounds,
        command: Command,
        message: ReceivedMessage,
        emit: @escaping AnswerPages.Emit
    ) {
        self.requests = requests
        self.endpoints = endpoints
        self.bounds = bounds
        self.command = command
        self.message = message
        started = requests.clock.now
        answer = AnswerPages(emit: emit)
    }

    /// - Parameter first: the answer to the query's first request.
    mutating func read(
        _ query: Query,
        first: HTTPResponse,
        ledger: inout Ledger
    ) async throws -> CommandResult {
        do {
            if case .get = query.operation {
                guard let page = GraphPage(item: first.body) else { throw malformed(first) }
                try await take(page.items, query, &ledger)
            } else {
                var pages = Pages(response: first, step: "query")
                while let items = try await next(of: &pages, &ledger) { try await take(items, query, &ledger) }
            }
            let isEmpty = answer.count == 0 && !isTruncated
            let policy = isEmpty && query.includes.contains(.policy) ? try await policy(&ledger) : nil
            let (items, pages) = try await answer.finish()
            var result = JSONObject()
            result.append("items", .array(items))
            result.append("count", JSONValue(answer.count))
            result.append("truncated", .bool(isTruncated))
            if pages > 0 { result.append("pages", JSONValue(pages)) }
            if let policy { result.append("policy", policy) }
            return .succeeded(.read, result: .object(result))
        } catch let ended as Ended {
            return ended.result
        }
    }

    private var isInTime: Bool { requests.clock.now - started < bounds.maxElapsed }

    /// The command's end in the middle of reading.
    private struct Ended: Error {
        let result: CommandResult
    }

    /// A collection that is being read.
    private struct Pages {
        var response: HTTPResponse?
        let step: String
        var links: Set<String> = []
        var items = 0
    }

    private mutating func take(_ items: [JSONValue], _ query: Query, _ ledger: inout Ledger) async throws {
        for item in items {
            guard isInTime else {
                isTruncated = true
                return
            }
            guard query.includes.contains(.userConsentRequests), let id = item["id"]?.string else {
                try await answer.append(item)
                continue
            }
            let children = try await children(of: id, &ledger)
            try await answer.append(item.replacing("userConsentRequests", children))
        }
    }

    private mutating func children(of id: String, _ ledger: inout Ledger) async throws -> [JSONValue] {
        let step = "query/\(id)/userConsentRequests"
        let first: HTTPResponse
        do {
            first = try await send("\(step)/0", &ledger) { identity in
                GraphRequests.userConsentRequests(of: id, tenant: command.tenantID, at: endpoints, as: identity)
            }
        } catch let ended as Ended where ended.result.error?.category == .notFound {
            // Gone since the list was read.
            return []
        }
        var pages = Pages(response: first, step: step)
        var children: [JSONValue] = []
        while let items = try await next(of: &pages, &ledger) { children += items }
        return children
    }

    private func policy(_ ledger: inout Ledger) async throws -> JSONValue {
        let response = try await send("query/policy", &ledger) { identity in
            GraphRequests.policy(tenant: command.tenantID, at: endpoints, as: identity)
        }
        guard let page = GraphPage(item: response.body) else { throw malformed(response) }
        return page.items[0]
    }

    /// The items of the next page, nil after the last. Follows `@odata.nextLink`, which is opaque, but only on Graph's
    /// own host: elsewhere it would carry the token with it.
    private mutating func next(of pages: inout Pages, _ ledger: inout Ledger) async throws -> [JSONValue]? {
        guard let response = pages.response else { return nil }
        guard let page = GraphPage(collection: response.body) else { throw malformed(response) }
        pages.response = nil
        let room = bounds.maxItems - pages.items
        pages.items += page.items.count
        guard page.items.count <= room else {
            isTruncated = true
            return Array(page.items.prefix(room))
        }
        guard let link = page.nextLink else { return page.items }
        guard Endpoints.origin(of: link) == Endpoints.origin(of: endpoints.graph) else {
            throw ended(.untrustedNextLink, "Graph's next page is on another host.", response)
        }
        guard pages.links.insert(link).inserted else {
            throw ended(.pagingLoop, "Graph's pages lead back to a page already read.", response)
        }
        guard pages.links.count < bounds.maxPages, isInTime else {
            isTruncated = true
            return page.items
        }
        pages.response = try await send("\(pages.step)/\(pages.links.count)", &ledger) { identity in
            GraphRequests.next(link, tenant: command.tenantID, as: identity)
        }
        return page.items
    }

    private func send(
        _ step: String,
        _ ledger: inout Ledger,
        _ build: (RequestIdentity) -> APIRequest
    ) async throws -> HTTPResponse {
        switch try await requests.execute(command, message, step: step, ledger: &ledger, build: build) {
        case .succeeded(_, let response): return response
        case .ended(let result): throw Ended(result: result)
        }
    }

    private func malformed(_ response: HTTPResponse) -> Ended {
        ended(.malformedResponse, "Graph's answer is not what it documents.", response)
    }

    private func ended(_ category: ErrorCategory, _ text: String, _ response: HTTPResponse) -> Ended {
        Ended(result: .ended(CommandError(category, text, source: .graph, status: response.status)))
    }
}

extension JSONValue {
    /// The object with one member set anew, in its place if it was there.
    fileprivate func replacing(_ name: String, _ items: [JSONValue]) -> JSONValue {
        guard let object else { return self }
        var members = object.members
        let member = JSONObject.Member(name: name, value: .array(items))
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index] = member
        } else {
            members.append(member)
        }
        return .object(JSONObject(members: members))
    }
}
