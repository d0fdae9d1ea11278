package import JSON

/// One answer of Graph: a page of a collection, or one item.
package struct GraphPage: Sendable, Hashable {
    package let items: [JSONValue]
    package let nextLink: String?

    /// Reads a collection page.
    /// - Returns: nil if the body is not one.
    package init?(collection body: [UInt8]) {
        guard let document = try? JSONParser.parse(body), let items = document["value"]?.array,
            items.allSatisfy({ $0.object != nil })
        else { return nil }
        self.items = items
        switch document["@odata.nextLink"] {
        case nil, .null: nextLink = nil
        case .string(let link): nextLink = link
        default: return nil
        }
    }

    /// Reads a single item.
    package init?(item body: [UInt8]) {
        guard let document = try? JSONParser.parse(body), document.object != nil else { return nil }
        items = [document]
        nextLink = nil
    }
}
