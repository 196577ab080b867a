/// What keeps messages from starting faster.
package enum Bottleneck: Sendable, Hashable, Encodable, CustomStringConvertible {
    /// The mailing's time has not come.
    case start
    /// Its recipients are being read: nothing is sent before all are planned.
    case planning
    /// A limit of ours, by its scope.
    case limit(String)
    /// The scope was asked to slow down, and has an adaptive rate.
    case pace(String)
    /// Every connection to the provider has a message.
    case connections(String)
    /// The provider takes no more connections.
    case providerConnections(String)
    /// It is unavailable, or its return is not known yet.
    case outage(String)
    /// It asked for a pause (Retry-After).
    case pause(String)
    case workerCPU, cores, planner, collector, redis
    /// More workers than `planner.window` has batches, or a mailing has.
    case window, batches
    case noWorkers
    /// A role that all mailings need is not at work.
    case missing(SharedRole)
    /// All open recipients wait for their next attempt.
    case retries
    /// Nothing: all messages start at once.
    case nothing

    package var description: String {
        switch self {
        case .start: "its start has not come"
        case .planning: "its recipients are being planned"
        case .limit(let scope): "the limit of \(scope)"
        case .pace(let scope): "\(scope) asks to slow down"
        case .connections(let name): "connections to \(name), each with a message that waits for its response"
        case .providerConnections(let name): "\(name) takes no more connections"
        case .outage(let name): "\(name) is unavailable"
        case .pause(let name): "\(name) asks for pauses (Retry-After)"
        case .workerCPU: "the CPU of the workers"
        case .cores: "the cores of the machine"
        case .planner: "the planner, which dispatches no faster"
        case .collector: "the collector, which writes no faster"
        case .redis: "Redis's CPU"
        case .window: "planner.window has fewer batches than there are workers"
        case .batches: "fewer batches are left than there are workers"
        case .noWorkers: "there is no worker"
        case .missing(.planner): "there is no planner: nothing new is dispatched"
        case .missing(.collector): "there is no collector: nothing is written down, and nothing new is dispatched"
        case .missing(.redis): "Redis is unavailable"
        case .retries: "those who are left wait for their next attempt"
        case .nothing: "nothing holds it back"
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

extension Bottleneck {
    /// For scripts: a word, or `word:NAME` where there can be several.
    package var name: String {
        switch self {
        case .limit(let scope): "limit:\(scope)"
        case .pace(let scope): "pace:\(scope)"
        case .connections(let name): "connections:\(name)"
        case .providerConnections(let name): "provider_connections:\(name)"
        case .outage(let name): "outage:\(name)"
        case .pause(let name): "pause:\(name)"
        case .start: "start"
        case .planning: "planning"
        case .workerCPU: "worker_cpu"
        case .cores: "cores"
        case .planner: "planner"
        case .collector: "collector"
        case .redis: "redis"
        case .window: "window"
        case .batches: "batches"
        case .noWorkers: "no_workers"
        case .missing(let role): "no_\(role.rawValue)"
        case .retries: "retries"
        case .nothing: "nothing"
        }
    }
}
