/// How a sink imitates a provider: what it says, how long it takes, and what it limits, each with its source.
package struct SinkProfile: Sendable, Equatable {
    /// The protocol of the provider.
    package enum Proto: String, Sendable, CaseIterable {
        case smtp, http
    }

    /// The source of a figure.
    package struct Source: Sendable, Equatable {
        /// Which one: `latency`, or a part of it as in `latency.p50`.
        package var figure: String
        /// What the source says; or the reason for the choice, where nobody publishes the figure.
        package var says: String
        /// Nil where nobody publishes it.
        package var url: String?
        /// The day on which it was looked up, as `2026-11-22`; nil where there was nothing to look up.
        package var seen: String?

        package init(figure: String, says: String, url: String?, seen: String?) {
            self.figure = figure
            self.says = says
            self.url = url
            self.seen = seen
        }
    }

    package var about = ""
    package var proto: Proto
    /// Nil, here and below, if the profile does not have it.
    package var latency: SinkLatency?
    /// Connections at once.
    package var connections: Int?
    package var messagesPerConnection: Int?
    package var limit: SinkLimit?
    package var failures: FailureProfile?
    /// The figures that were written, each by its name: `latency.p50`, `connections`, `limit.rate`.
    package var figures: [String] = []
    package var sources: [Source] = []

    package init(proto: Proto) { self.proto = proto }

    /// Figures without a source, in the order of `figures`. A source of `limit` is one of all its parts.
    package var unsourced: [String] {
        figures.filter { figure in
            !sources.contains { $0.figure == figure || figure.hasPrefix($0.figure + ".") }
        }
    }

    /// Sources of figures that the profile does not have.
    package var idleSources: [Source] {
        sources.filter { source in !figures.contains { $0 == source.figure || $0.hasPrefix(source.figure + ".") } }
    }
}

extension SinkConfiguration {
    /// Takes over what the profile has; the rest stays.
    package mutating func apply(_ profile: SinkProfile) {
        latency = profile.latency ?? latency
        maxConnections = profile.connections ?? maxConnections
        messagesPerConnection = profile.messagesPerConnection ?? messagesPerConnection
        limit = profile.limit ?? limit
        failures = profile.failures ?? failures
    }
}
