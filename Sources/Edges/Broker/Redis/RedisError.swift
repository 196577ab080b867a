import Model

/// Why a command has no reply.
package enum RedisError: Error, Sendable, CustomStringConvertible, Equatable {
    /// No connection could be had in time; the command was not sent.
    case unavailable(endpoint: String, why: String)
    /// The connection ended, or no reply came in time, after the command was sent: it may have been carried out.
    case lost(endpoint: String, why: String)
    /// Redis refused us: waiting will not help.
    case refused(endpoint: String, why: String)
    /// The server is of a version that lacks what we need.
    case outdated(endpoint: String, found: String)
    /// The reply to this command is an error.
    case command(String)
    /// The reply has not the form that we expect of the command.
    case unexpected(String)
    /// It evicts keys when its memory is full.
    case evicts(policy: String)
    /// The epoch has ended, or another dispatcher leads: the command changed nothing.
    case epochEnded
    /// What the dispatcher publishes is not there yet.
    case notPublished(String)
    /// Roles with different numbers of status streams use this Redis and prefix.
    case otherPartitions(here: Int, ours: Int)
    case closed

    package var description: String {
        switch self {
        case .unavailable(let endpoint, let why):
            "Redis at \(endpoint) cannot be reached: \(why). Is it running, and is redis.url right?"
        case .lost(let endpoint, let why): "Redis at \(endpoint) is unavailable: \(why)"
        case .refused(let endpoint, let why):
            "Redis at \(endpoint) refuses us: \(why). Check redis.username and redis.password (or FLOTILLA_REDIS_PASSWORD)."
        case .outdated(let endpoint, let found):
            "Redis at \(endpoint) has version \(found), and \(VersionNumber.oldestRedis) or later is needed: upgrade it"
        case .command(let text):
            Self.scriptFault(text).map {
                "a script of ours failed in Redis (\($0)): a key holds what no Flotilla wrote; find out what else writes to this Redis"
            } ?? "Redis replied: \(text)"
        case .unexpected(let text): "Redis replied in an unexpected form: \(text)"
        case .evicts(let policy):
            """
            this Redis removes keys when its memory is full (maxmemory-policy \(policy)), and with them batches and results: \
            nothing is sent with it. Set maxmemory-policy noeviction (redis-cli CONFIG SET, and in redis.conf), or use a Redis that is \
            no cache
            """
        case .epochEnded: "what this Redis held cannot be believed (it was emptied or started again), or another planner leads"
        case .notPublished(let what): "Redis does not have \(what) yet: the planner publishes this when it starts"
        case .otherPartitions(let here, let ours):
            """
            this Redis and prefix has \(here) status streams, and this role is set to \(ours): set collector.partitions to \(here) for \
            every role, or give the other fleet a redis.prefix of its own
            """
        case .closed: "the connection to Redis is closed"
        }
    }

    /// What a script met, of an error such as `ERR user_script:58: attempt to … script: 5a3f…, on @user_script:58.`; nil for any other.
    private static func scriptFault(_ text: String) -> String? {
        guard !RedisError.command(text).isPassing, let found = text.firstMatch(of: #/^.*user_script:\d+: (.+?)(?: script: [0-9a-f]+.*)?$/#)
        else { return nil }
        return String(found.output.1)
    }

    /// Redis is unavailable or busy: it may work again in a while without a person's help.
    package var isPassing: Bool {
        switch self {
        case .unavailable, .lost: true
        case .command(let text): UnfitServer.speaks(in: text) || UnfitServer.isOverloaded(text)
        case .notPublished: true
        case .refused, .outdated, .unexpected, .evicts, .epochEnded, .otherPartitions, .closed: false
        }
    }
}
