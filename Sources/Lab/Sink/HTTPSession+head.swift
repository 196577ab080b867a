import Model
import NIOCore
import NIOHTTP1

extension HTTPSession {
    /// Reads the head of a request; answers it at once when the request is refused whatever its body is.
    mutating func begin(_ head: HTTPRequestHead, now: Int64, into out: inout ByteBuffer) -> SinkStep {
        request.begun = now
        request.isHTTP11 = head.version == .http1_1
        request.staysOpen = head.isKeepAlive
        request.isAuthorised = shared.httpResponses.authorizations.isEmpty
        if Self.path(head.uri, isBelow: "/sms") {
            request.channel = .sms
        } else if Self.path(head.uri, isBelow: "/messenger") {
            request.channel = .messenger
        }
        var hosts = 0
        var length = 0
        var awaitsContinue = false
        for (name, value) in head.headers {
            switch name.lowercased() {
            case "host": hosts += 1
            case "content-length": length = Int(value.beforeTrailingSpace) ?? .max
            case "transfer-encoding":
                guard value.beforeTrailingSpace.lowercased() == "chunked" else { return breakOff(Self.notImplemented, into: &out) }
                guard request.isHTTP11 else { return breakOff(Self.badRequest, into: &out) }
            case "expect": awaitsContinue = value.beforeTrailingSpace.lowercased() == "100-continue"
            case "idempotency-key": request.take(key: value.beforeTrailingSpace)
            case "authorization":
                let value = value.beforeTrailingSpace.utf8
                request.isAuthorised =
                    request.isAuthorised || shared.httpResponses.authorizations.contains { value.elementsEqual($0) }
            // The decoder reads nothing behind a request that asks for another protocol.
            case "upgrade": request.staysOpen = false
            default: break
            }
        }
        guard hosts == 1 || hosts == 0 && !request.isHTTP11 else { return breakOff(Self.badRequest, into: &out) }
        guard head.method == .POST || head.method == .PUT else { return breakOff(Self.notAllowed, into: &out) }
        guard length <= shared.configuration.maxBodyBytes else { return tooLarge(now: now, into: &out) }
        if awaitsContinue { out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        return .more
    }

    private static func path(_ path: String, isBelow place: String) -> Bool {
        guard path.utf8.starts(with: place.utf8) else { return false }
        let next = path.utf8.dropFirst(place.utf8.count).first
        return next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
    }
}
