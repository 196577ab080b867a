import ArgumentParser
import Settings

/// The option of every command that asks the fleet's Redis.
struct RedisOption: ParsableArguments {
    @Option(help: "The Redis of the fleet: redis://, rediss:// (TLS) or unix:///path. No password here: FLOTILLA_REDIS_PASSWORD.")
    var redis: String?

    /// Puts the address into the settings, where it is given.
    func apply(to settings: inout Settings) throws {
        if let redis { try settings.redis.take(redis) }
    }
}
