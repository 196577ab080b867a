import Model
import Testing

@testable import Broker

@Suite struct RedisServerInfoTests {
    @Test func aServerTellsItsRunAndVersion() {
        let info = RedisServerInfo("# Server\r\nredis_version:6.0.16\r\nredis_mode:standalone\r\nrun_id:abc\r\n")
        #expect(info.run == "abc")
        #expect(info.version == VersionNumber("6.0.16"))
        #expect(RedisServerInfo("").version == nil)
        #expect(
            "\(RedisError.outdated(endpoint: "h:1", found: "6.0.16"))".hasPrefix(
                "Redis at h:1 has version 6.0.16, and 6.2 or later is needed"))
    }
}
