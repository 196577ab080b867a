package import Telemetry

extension Tracker {
    /// The webhook that a request is for, `NAME` of `/h/NAME`; nil for another address.
    package func webhook(of request: WebRequest) -> String? {
        let path = route(request.target)
        guard path.starts(with: "/h/".utf8) else { return nil }
        return String(decoding: path.dropFirst(3), as: UTF8.self)
    }
}
