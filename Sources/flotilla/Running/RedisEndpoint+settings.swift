import Broker
import Model
import Settings

extension RedisEndpoint {
    /// Nil where the settings name no Redis.
    init?(_ redis: Settings.Redis) {
        guard let endpoint = redis.endpoint else { return nil }
        self.init(endpoint)
        username = redis.username
        password = redis.password
        caFile = redis.caFile
        timeout = redis.timeout
    }
}
