# The job on Sidekiq; as a program, the producer: on_sidekiq.rb each|batch FILE COUNT MAILING.
require "cgi"
require "csv"
require "json"
require "net/http/persistent"
require "net/smtp"
require "sidekiq"
require "time"

TARGET = URI(ENV.fetch("TARGET"))
REDIS = { url: ENV.fetch("REDIS_URL"), driver: :hiredis }.freeze
Sidekiq.logger.level = Logger::WARN
Sidekiq.configure_client { |config| config.redis = REDIS.merge(size: 2) }
Sidekiq.configure_server do |config|
  config.redis = REDIS
  config.on(:startup) { Sidekiq.redis { |redis| redis.incr("ready") } }
end

def template(text, prefix = "")
  text.gsub("%", "%%").gsub(/\{\{(\w+)\}\}/) { "%<#{prefix}#{$1}>s" }
end

MAILINGS = File.expand_path("../bench-mailings", __dir__)
BODY = JSON.parse(File.read("#{MAILINGS}/webhook.json")).transform_values { |value| template(value) }
PAGE = File.read("#{MAILINGS}/email.html")
WORDS = CGI.unescapeHTML(PAGE[/<body[^>]*>(.*)/m, 1].gsub(/<[^>]+>/, "")).strip
MAIL = ("From: Example Shop <news@example.com>\nTo: %<email>s\nSubject: =?utf-8?B?%<subject>s?=\nMessage-ID: <%<id>s.bench@example.com>\n" \
        "Date: #{Time.now.rfc2822}\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=part\n\n" \
        "--part\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n#{template(WORDS)}" \
        "\n--part\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n#{template(PAGE, 'html_')}" \
        "\n--part--\n").gsub("\n", "\r\n")
HTTP = Net::HTTP::Persistent.new(name: "bench", proxy: nil)
HTTP.idle_timeout = 300

# Net::SMTP writes a message line by line and leaves Nagle's algorithm on, so that each message waits 40 ms for a delayed
# acknowledgement. Here a message is written as a whole: what is buffered goes out before the next read.
class QuickSMTP < Net::SMTP
  private def tcp_socket(address, port)
    super.tap do |socket|
      socket.setsockopt(:TCP, :NODELAY, true)
      socket.sync = false
      socket.define_singleton_method(:write_nonblock) { |*strings, **| write(*strings) }
    end
  end
end

def post(fields)
  request = Net::HTTP::Post.new(TARGET.path, "Content-Type" => "application/json")
  request.body = JSON.generate(BODY.transform_values { |value| format(value, fields) })
  HTTP.request(TARGET, request).code == "200"
end

def send_mail(fields)
  smtp = Thread.current[:smtp] ||= QuickSMTP.new(TARGET.host, TARGET.port).tap { |client| client.start("bench.example.com") }
  html = fields.to_h { |key, value| [:"html_#{key}", CGI.escapeHTML(value)] }
  subject = ["#{fields[:first_name]}, 20 % off until Sunday"].pack("m0")
  smtp.send_message(format(MAIL, fields.merge(html, subject: subject)), "news@example.com", fields[:email]).success?
end

class Send
  include Sidekiq::Worker

  def perform(mailing, job)
    outcomes = (job.is_a?(Hash) ? [job] : job).flat_map do |recipient|
      fields = recipient.transform_keys(&:to_sym)
      [recipient["id"], (TARGET.scheme == "http" ? post(fields) : send_mail(fields)) ? "ok" : "refused"]
    end
    Sidekiq.redis { |redis| redis.hset("out:#{mailing}", *outcomes) }
  end
end

if $PROGRAM_NAME == __FILE__
  kind, file, count, mailing = ARGV
  puts "#{Time.now.to_f} #{Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)}"
  CSV.foreach(file, headers: true).lazy.take(Integer(count)).map(&:to_h).each_slice(kind == "each" ? 1000 : 500) do |rows|
    Sidekiq::Client.push_bulk("class" => Send, "args" => kind == "each" ? rows.map { |row| [mailing, row] } : [[mailing, rows]])
  end
end
