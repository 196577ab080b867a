import Model

/// The reply to `INFO server` or `INFO replication`; nil for fields that it does not have.
struct RedisServerInfo: Equatable {
    /// Made anew at each start, so that a restart is noticed.
    let run: String?
    /// Of Redis, or of the Redis that a server of another name is as good as; nil where it tells none.
    let version: VersionNumber?
    /// `master` or `slave`.
    let role: String?

    init(_ reply: String) {
        func value(_ name: String) -> Substring? {
            reply.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }?.dropFirst(name.count + 1)
        }
        run = value("run_id").map(String.init)
        role = value("role").map(String.init)
        version = value("redis_version").flatMap { VersionNumber($0) }
    }
}
