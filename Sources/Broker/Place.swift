import NIOPosix
import NIOSSL
import CHiredis
enum BrokerPlace {}
