import Hummingbird
import NIOCore

/// The page for people: one document that needs nothing from elsewhere.
enum LivePage {
    private static let document = String(decoding: PackageResources.page_html, as: UTF8.self)
    private static let style = String(decoding: PackageResources.page_css, as: UTF8.self)
    private static let script = String(decoding: PackageResources.page_js, as: UTF8.self)

    static func response() -> Response {
        // Only our own script runs, whatever finds its way into what is shown.
        let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
        let body =
            document
            .replacing("/* page.css */", with: style)
            .replacing("/* page.js */", with: script)
            .replacing("NONCE", with: nonce)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
                    + "form-action 'none'; frame-ancestors 'none'; "
                    + "style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'",
                .xContentTypeOptions: "nosniff",
            ],
            body: .init(byteBuffer: ByteBuffer(string: body))
        )
    }
}
