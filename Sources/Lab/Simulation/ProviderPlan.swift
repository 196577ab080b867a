package import Model

/// How a provider behaves.
package struct ProviderPlan: Sendable {
    /// False for HTTP.
    package var isSMTP: Bool
    package var latency: Latency
    /// `providers.NAME.connections`: at most, for each worker.
    package var connections = 20
    /// What the provider takes from the whole fleet; nil for any number.
    package var mostConnections: Int?
    /// From our machine to it and back, in seconds.
    package var roundTrip = 0.0
    /// Messages after which it closes a connection; nil for never.
    package var messagesPerConnection: Int?
    /// Its responses other than acceptances.
    package var responses: [ResponseShare] = []
    /// Its own limit, which Flotilla does not know.
    package var hiddenLimit: HiddenLimit?
    /// Further seconds that a message keeps its connection, on average, because responses never come.
    package var stalls = 0.0
    /// When it is unavailable: nobody can connect.
    package var outages: [Range<Double>] = []

    package init(isSMTP: Bool = true, latency: Latency, connections: Int = 20) {
        self.isSMTP = isSMTP
        self.latency = latency
        self.connections = connections
    }

    /// Connections that a worker uses at a time.
    func connections(concurrency: Int) -> Int { isSMTP ? min(concurrency, connections) : connections }

    /// Seconds that a message keeps its connection, on average.
    /// - Parameter isLimited: under a limit no envelope of SMTP goes ahead of a response.
    func service(isLimited: Bool) -> Double { latency.mean + overhead(isLimited: isLimited) }

    /// What a message takes besides the response's latency: round trips, and its share of opening connections (TCP, greeting, EHLO;
    /// three round trips, without TLS).
    func overhead(isLimited: Bool) -> Double {
        let trips = isSMTP && isLimited ? 2.0 : 1
        return stalls + roundTrip * (trips + (messagesPerConnection.map { 3 / Double(max(1, $0)) } ?? 0))
    }

    func isUnavailable(at time: Double) -> Bool { outages.contains { $0.contains(time) } }
}

/// A response that a share of the attempts gets, whatever the rate.
package struct ResponseShare: Sendable {
    /// 0 to 1; of all of a provider at most 1 together.
    package var share: Double
    package var response: ProviderResponse

    package init(share: Double, response: ProviderResponse) {
        self.share = share
        self.response = response
    }

    /// By its class alone.
    package init(_ action: ResponseAction, _ share: Double, retryAfter: Double? = nil) {
        self.init(
            share: share,
            response: ProviderResponse(
                action: action, stage: action == .reconnect ? .mail : .response, code: 0, text: "", retryAfter: retryAfter))
    }
}

/// Messages a second above which a provider answers `throttled`: a bucket with room for `burst`.
package struct HiddenLimit: Sendable, Equatable {
    package var perSecond: Double
    package var burst: Double
    /// Seconds that its response asks for.
    package var retryAfter: Double?

    package init(perSecond: Double, burst: Double, retryAfter: Double? = nil) {
        self.perSecond = perSecond
        self.burst = burst
        self.retryAfter = retryAfter
    }
}
