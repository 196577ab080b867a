import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// An answer to a request.
package struct WebResponse: Sendable {
    /// Fields that many answers share, made once.
    package struct Fields: Sendable {
        let all: HTTPFields

        /// - Parameter fields: names of RFC 9110 section 5.1, and values; one with a name that is none is dropped.
        package init(_ fields: [(name: String, value: String)]) {
            var all = HTTPFields()
            for (name, value) in fields {
                if let name = HTTPField.Name(name) { all[name] = value }
            }
            self.all = all
        }
    }

    /// A body that many answers share.
    package struct Body: Sendable {
        let bytes: ByteBuffer

        package init(_ bytes: [UInt8] = []) { self.bytes = ByteBuffer(bytes: bytes) }

        package var count: Int { bytes.readableBytes }

        package var text: String { String(buffer: bytes) }
    }

    package let status: Int
    package let fields: Fields
    package let body: Body
    /// Where a redirect leads.
    package var location: String?

    package init(_ status: Int, _ fields: Fields, _ body: Body = Body(), location: String? = nil) {
        self.status = status
        self.fields = fields
        self.body = body
        self.location = location
    }

    /// The value of a field.
    package func value(_ name: String) -> String? { HTTPField.Name(name).flatMap { fields.all[$0] } }

    /// - Parameter method: to HEAD the answer has no body, and the length of that of GET (RFC 9110 section 9.3.2).
    func response(to method: WebRequest.Method) -> Response {
        var headers = fields.all
        if let location { headers[.location] = location }
        if method == .head { headers[.contentLength] = String(body.count) }
        return Response(
            status: .init(code: status), headers: headers, body: method == .head ? .init() : .init(byteBuffer: body.bytes))
    }
}
