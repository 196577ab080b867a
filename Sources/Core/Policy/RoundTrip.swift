/// How long the replies of a server take: the recent mean, and a bound that few replies exceed, as TCP estimates it (RFC 6298, section 2).
package struct RoundTrip: Sendable, Equatable {
    private static let longest = Duration.seconds(1)
    /// A single long stop is no distance: a reply counts as so many times the mean at most.
    private static let outlier = 4

    /// Nil before the first reply.
    package private(set) var mean: Duration?
    private var deviation = Duration.zero

    package init() {}

    /// Notes how long a reply took.
    package mutating func note(_ time: Duration) {
        let time = min(max(time, .zero), Self.longest)
        guard let mean else {
            self.mean = time
            deviation = time / 2
            return
        }
        let difference = min(time, max(mean * Self.outlier, .milliseconds(1))) - mean
        deviation += ((difference < .zero ? .zero - difference : difference) - deviation) / 4
        self.mean = mean + difference / 8
    }

    /// Few replies take longer; zero before the first.
    package var bound: Duration { min((mean ?? .zero) + deviation * 4, Self.longest) }
}
