// The simulated board: a Verilated top in its shell (shell.py), a clock, and a byte queue at each end.
//
// Compiled once per design with the Verilated sources (prefix Vtop) into a shared library and driven
// by library.py through the C functions at the end. SYNLOOM_PINS selects the face: 0 for the byte
// streams, 1 for the UART's pins rx and tx. SYNLOOM_BOTH_EDGES is 1 if registers take both edges of a
// clock, so that a clock is one evaluation.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace synloom {

enum Reason : int { kLimit = 0, kIdle = 1, kOutput = 2 };

constexpr std::size_t kOutputLimit = 1 << 16;  // bytes waiting for the host before the board is held

// A first-in first-out queue whose memory is reused whenever it runs empty.
class ByteQueue {
  public:
    bool empty() const { return first_ == bytes_.size(); }
    std::size_t size() const { return bytes_.size() - first_; }
    std::uint8_t front() const { return bytes_[first_]; }
    void push(std::uint8_t byte) { bytes_.push_back(byte); }
    void append(const std::uint8_t* data, std::size_t count) { bytes_.insert(bytes_.end(), data, data + count); }
    void pop(std::size_t count = 1) {
        first_ += count;
        if (empty()) {
            bytes_.clear();
            first_ = 0;
        } else if (first_ >= 1 << 20) {  // never empty, but mostly read: give the memory back
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
    }
    std::size_t take(std::uint8_t* data, std::size_t room) {
        const std::size_t count = size() < room ? size() : room;
        if (count != 0) std::memcpy(data, bytes_.data() + first_, count);
        pop(count);
        return count;
    }

  private:
    std::vector<std::uint8_t> bytes_;
    std::size_t first_ = 0;
};

#if SYNLOOM_PINS

// Both directions of an 8N1 line, sampled once a clock: the far end of the cable.
//
// The length of a bit is in 1/65536 of a clock, as the host's clock may be wrong. Of what is sent, bits
// may have a glitch of one clock, and characters a stop bit of 0, each with a given probability.
class Line {
  public:
    explicit Line(std::uint32_t divisor) { set_divisor(divisor); }
    void set_divisor(std::uint32_t divisor) {
        divisor_ = divisor;
        length_ = static_cast<std::uint64_t>(static_cast<double>(divisor) * 65536.0 * (1.0 + skew_) + 0.5);
    }
    void spoil(double skew, double glitches, double framing, std::uint64_t seed) {
        skew_ = skew;
        glitches_ = glitches;
        framing_ = framing;
        random_ = seed * 0x9E3779B97F4A7C15u | 1;
        set_divisor(divisor_);
    }
    std::uint64_t framing_errors() const { return framing_errors_; }
    std::uint64_t spoilt(int kind) const { return kind == 0 ? glitched_ : misframed_; }
    // Long enough for a character under way in either direction, and the gap to the next.
    std::uint32_t settle_clocks() const { return 24 * divisor_; }
    bool busy(const ByteQueue& in) const { return !in.empty() || bits_left_ != 0 || receiving_; }

    // Before the clock edge: the level to drive.
    int drive(ByteQueue& in) {
        if (bits_left_ == 0) {
            if (in.empty()) return 1;
            sending_ = 0x200u | static_cast<std::uint32_t>(in.front()) << 1;  // stop, data, start
            if (strikes(framing_)) {
                sending_ &= 0x1FFu;
                ++misframed_;
            }
            bits_left_ = 10;
            begin_bit();
            in.pop();
        }
        int level = static_cast<int>(sending_ & 1);
        if (send_clocks_ == glitch_clock_) level ^= 1;
        if (--send_clocks_ == 0) {
            sending_ >>= 1;
            if (--bits_left_ != 0) begin_bit();
        }
        return level;
    }

    // After the clock edge: the level seen. Returns true if it completed a character.
    bool sample(int level, ByteQueue& out) {
        if (!receiving_) {
            if (level != 0) return false;
            receiving_ = true;
            received_bits_ = 0;
            received_ = 0;
            receive_phase_ = length_ + length_ / 2;  // the middle of data bit 0
            take_clocks();
            return false;
        }
        if (--receive_clocks_ != 0) return false;
        if (received_bits_ < 8) {
            received_ |= static_cast<std::uint32_t>(level) << received_bits_++;
            receive_phase_ += length_;
            take_clocks();
            return false;
        }
        receiving_ = false;
        if (level == 0) {
            ++framing_errors_;
            return false;
        }
        out.push(static_cast<std::uint8_t>(received_));
        return true;
    }

  private:
    void begin_bit() {
        send_phase_ += length_;
        send_clocks_ = static_cast<std::uint32_t>(send_phase_ >> 16);
        send_phase_ &= 0xFFFF;
        glitch_clock_ = 0;
        if (strikes(glitches_)) {
            glitch_clock_ = 1 + static_cast<std::uint32_t>(next() % send_clocks_);
            ++glitched_;
        }
    }
    void take_clocks() {
        receive_clocks_ = static_cast<std::uint32_t>(receive_phase_ >> 16);
        receive_phase_ &= 0xFFFF;
    }
    std::uint64_t next() {  // xorshift64*
        random_ ^= random_ >> 12;
        random_ ^= random_ << 25;
        random_ ^= random_ >> 27;
        return random_ * 0x2545F4914F6CDD1Du >> 16;
    }
    bool strikes(double rate) { return rate > 0 && static_cast<double>(next()) < rate * 0x1p48; }

    std::uint32_t divisor_ = 1;
    std::uint64_t length_ = 65536, send_phase_ = 0, receive_phase_ = 0;
    double skew_ = 0, glitches_ = 0, framing_ = 0;
    std::uint64_t random_ = 1, glitched_ = 0, misframed_ = 0;
    std::uint32_t sending_ = 0, bits_left_ = 0, send_clocks_ = 0, glitch_clock_ = 0;
    std::uint32_t received_ = 0, received_bits_ = 0, receive_clocks_ = 0;
    bool receiving_ = false;
    std::uint64_t framing_errors_ = 0;
};

#else

// The byte streams need no line: a byte is taken and given in one clock each.
class Line {
  public:
    explicit Line(std::uint32_t) {}
    void set_divisor(std::uint32_t) {}
    void spoil(double, double, double, std::uint64_t) {}
    std::uint64_t spoilt(int) const { return 0; }
    std::uint64_t framing_errors() const { return 0; }
    std::uint32_t settle_clocks() const { return 32; }
    bool busy(const ByteQueue& in) const { return !in.empty(); }
};

#endif

class Board {
  public:
    explicit Board(std::uint32_t divisor) : top_(&context_), line_(divisor) {
#if SYNLOOM_PINS
        top_.rx = 1;
#else
        top_.i_valid = 0;
        top_.i_payload = 0;
#endif
        top_.clk = 0;
        top_.eval();
    }
    ~Board() { top_.final(); }
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    // Run until the board is quiet, or has given bytes and pauses, or `limit` clocks are over.
    Reason run(std::uint64_t limit) {
        const std::uint32_t settle = line_.settle_clocks();
        for (std::uint64_t n = 0; n < limit; ++n) {
            if (out.size() >= kOutputLimit) return kOutput;
            const bool gave = clock();
            if (gave || !quiet()) quiet_clocks_ = 0;
            else ++quiet_clocks_;
            silent_clocks_ = gave ? 0 : silent_clocks_ + 1;
            if (quiet_clocks_ >= settle) return out.empty() ? kIdle : kOutput;
            if (silent_clocks_ >= settle && !out.empty() && in.empty()) return kOutput;
        }
        return kLimit;
    }

    void put(const std::uint8_t* data, std::size_t count) {
        in.append(data, count);
        quiet_clocks_ = 0;
    }

    Line& line() { return line_; }
    std::uint64_t clocks() const { return clocks_; }
    bool link_idle() const { return top_.idle && !line_.busy(in) && out.empty(); }
    bool running() const { return top_.running; }
    bool paused() const { return top_.paused; }

    ByteQueue in;
    ByteQueue out;

  private:
    bool quiet() const { return top_.idle && !line_.busy(in) && (!top_.running || top_.paused); }

    // A clock of all domains that do not rest.
    void edge() {
#if SYNLOOM_BOTH_EDGES
        top_.clk ^= 1;
        top_.lif_clk ^= top_.lif_wanted;
        top_.link_clk ^= top_.link_wanted;
        top_.passes_clk ^= top_.passes_wanted;
        top_.sums_clk ^= top_.sums_wanted;
        top_.eval();
#else
        top_.clk = 1;
        top_.lif_clk = top_.lif_wanted;
        top_.link_clk = top_.link_wanted;
        top_.passes_clk = top_.passes_wanted;
        top_.sums_clk = top_.sums_wanted;
        top_.eval();
        top_.clk = top_.lif_clk = top_.link_clk = top_.passes_clk = top_.sums_clk = 0;
        top_.eval();
#endif
    }

#if SYNLOOM_PINS
    bool clock() {
        top_.rx = static_cast<CData>(line_.drive(in));
        edge();
        ++clocks_;
        return line_.sample(top_.tx, out);
    }
#else
    bool clock() {
        const bool gives = top_.o_valid;
        if (gives) out.push(top_.o_payload);
        if (top_.i_taken) in.pop();
        top_.i_valid = !in.empty();
        if (!in.empty()) top_.i_payload = in.front();
        edge();
        ++clocks_;
        return gives;
    }
#endif

    VerilatedContext context_;
    Vtop top_;
    Line line_;
    std::uint64_t clocks_ = 0;
    std::uint64_t quiet_clocks_ = 0;
    std::uint64_t silent_clocks_ = 0;
};

}  // namespace synloom

using synloom::Board;

#define EXPORT __attribute__((visibility("default")))

extern "C" {

EXPORT Board* synloom_board_new(std::uint32_t divisor) { return new Board(divisor); }
EXPORT void synloom_board_free(Board* board) { delete board; }
EXPORT void synloom_board_put(Board* board, const std::uint8_t* data, std::size_t count) { board->put(data, count); }
EXPORT int synloom_board_run(Board* board, std::uint64_t limit) { return board->run(limit); }
EXPORT std::size_t synloom_board_take(Board* board, std::uint8_t* data, std::size_t room) { return board->out.take(data, room); }
EXPORT std::size_t synloom_board_waiting(const Board* board) { return board->out.size(); }
EXPORT std::uint64_t synloom_board_clocks(const Board* board) { return board->clocks(); }
EXPORT void synloom_board_set_divisor(Board* board, std::uint32_t divisor) { board->line().set_divisor(divisor); }
EXPORT void synloom_board_spoil(Board* board, double skew, double glitches, double framing, std::uint64_t seed) {
    board->line().spoil(skew, glitches, framing, seed);
}
// Glitches (0) or stop bits of 0 (1) that were sent.
EXPORT std::uint64_t synloom_board_spoilt(Board* board, int kind) { return board->line().spoilt(kind); }
EXPORT std::uint64_t synloom_board_framing_errors(Board* board) { return board->line().framing_errors(); }
// Bit 0: the link is idle; bit 1: running; bit 2: paused.
EXPORT int synloom_board_status(const Board* board) {
    return int{board->link_idle()} | int{board->running()} << 1 | int{board->paused()} << 2;
}
}
