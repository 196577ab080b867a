/// Something that the script does at a time.
package struct ScriptLine: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
        /// Starts further processes; or again a sink or a Redis that has ended.
        case add
        /// SIGTERM.
        case remove
        /// SIGKILL.
        case kill
        /// SIGSTOP.
        case freeze
        /// SIGCONT, for those that are frozen.
        case thaw
        /// One after the other: SIGTERM, wait for its end, start a new one in its place.
        case restart
    }

    /// What it is done to.
    package enum Target: Sendable, Equatable, CustomStringConvertible {
        /// Of a kind: those that were started last; to be thawed, those that are frozen.
        case kind(ProcessKind)
        /// One by its name, such as `worker-2`.
        case member(String)
        case redis
        case sink(String)

        package var description: String {
            switch self {
            case .kind(let kind): kind.rawValue
            case .member(let name): name
            case .redis: "redis"
            case .sink(let name): "sink:\(name)"
            }
        }
    }

    /// Seconds from the start.
    package var at: Double
    package var action: Action
    package var target: Target
    /// How many; nil for one, and with `restart` and `thaw` for all.
    package var count: Int?
    /// Seconds between two restarts.
    package var each: Double = 0

    /// For people: `kill 2 worker`.
    package var text: String {
        let number = count.map { $0 == 1 ? "" : "\($0) " } ?? ""
        return "\(action.rawValue) \(number)\(target)"
    }
}

/// What a process of the run is.
package enum ProcessKind: String, Sendable, CaseIterable {
    case worker, planner, collector, redis, sink

    /// Kinds that are `flotilla` with the kind's name as its command.
    package static let roles: [ProcessKind] = [.worker, .planner, .collector]
}
