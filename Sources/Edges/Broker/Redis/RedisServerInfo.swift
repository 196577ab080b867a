import Model

/// The reply to `INFO server` or `INFO replication`; nil for fields that it does not have.
package struct RedisServerInfo: Equatable {
    /// Made anew at each start, so that a restart is noticed.
    let run: String?
    /// Of Redis, or of the Redis that a server of another name is as good as; nil where it tells none.
    let version: VersionNumber?
    /// `master` or `slave`.
    let role: String?

    init(_ reply: String) {
        run = Self.value("run_id", in: reply)
        role = Self.value("role", in: reply)
        version = Self.value("redis_version", in: reply).flatMap { VersionNumber($0[...]) }
    }

    /// A field of a reply to `INFO`, found by its bytes: these texts are long, and read again and again.
    package static func value(_ name: String, in reply: String) -> String? {
        let field = "\(name):".utf8
        let line = reply.utf8.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }).first {
            $0.starts(with: field)
        }
        return line.flatMap { String($0.dropFirst(field.count)) }
    }
}
