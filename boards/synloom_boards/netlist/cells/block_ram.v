// A block memory of 2,048 bytes of 9 bits with two ports: what ECP5 and Gowin have in common.
//
// A port is 1, 2 or 4 bits of one byte wide, or 1, 2 or 4 whole bytes (9, 18, 36). Addresses count bits,
// eight to a byte. What the vendors leave undefined comes out inverted, so that nothing can rely on it: a
// read of what the other port writes at that edge, and a read of what this port writes in mode 3.

module synloom_block_ram #(
    parameter WIDTH_A = 9,
    parameter WIDTH_B = 9,
    parameter MODE_A = 0,  // of the output in a write: 0 holds, 1 shows the new word, 2 the old one
    parameter MODE_B = 0,
    parameter ASYNC = 0,  // clear_a and clear_b act at once instead of at the edge
    parameter INIT_BITS = 18432,
    parameter [INIT_BITS-1:0] INIT = 0,
    parameter INIT_BYTE = 9,  // bits of INIT that a byte has
    parameter INIT_PAIR = 18  // distance of pairs of bytes in INIT
) (
    input clk_a, en_a, we_a, clear_a,
    input [3:0] bytes_a,
    input [13:0] ad_a,
    input [35:0] di_a,
    output [35:0] do_a,
    input clk_b, en_b, we_b, clear_b,
    input [3:0] bytes_b,
    input [13:0] ad_b,
    input [35:0] di_b,
    output [35:0] do_b
);
    reg [8:0] memory [0:2047];

    integer n;
    initial
        for (n = 0; n < 2048; n = n + 1) begin
            memory[n] = 0;
            memory[n][INIT_BYTE-1:0] = INIT[INIT_PAIR*(n/2) + INIT_BYTE*(n%2) +: INIT_BYTE];
        end

    wire [43:0] places_a, places_b;
    wire [35:0] masks_a, masks_b, values_a, values_b;

    synloom_block_ram_port #(WIDTH_A) port_a (en_a & we_a, bytes_a, ad_a, di_a, places_a, masks_a, values_a);
    synloom_block_ram_port #(WIDTH_B) port_b (en_b & we_b, bytes_b, ad_b, di_b, places_b, masks_b, values_b);

    localparam LANES_A = WIDTH_A < 9 ? 1 : WIDTH_A / 9;
    localparam LANES_B = WIDTH_B < 9 ? 1 : WIDTH_B / 9;

    wire [35:0] found_a, found_b;
    genvar k, j;
    generate
        for (k = 0; k < 4; k = k + 1) begin : lane
            wire [10:0] place_a = places_a[11*k +: 11], place_b = places_b[11*k +: 11];
            wire [8:0] mask_a = masks_a[9*k +: 9], mask_b = masks_b[9*k +: 9];
            if (k < LANES_A) begin : in_a
                always @(posedge clk_a)
                    if (mask_a != 0)
                        memory[place_a] <= (memory[place_a] & ~mask_a) | (values_a[9*k +: 9] & mask_a);
                wire [8:0] clash [0:LANES_B];
                assign clash[0] = 0;
                for (j = 0; j < LANES_B; j = j + 1) begin : other
                    assign clash[j+1] = clash[j] |
                        (places_b[11*j +: 11] == place_a ? masks_b[9*j +: 9] : 9'd0);
                end
                assign found_a[9*k +: 9] = memory[place_a] ^ clash[LANES_B];
            end else assign found_a[9*k +: 9] = 0;
            if (k < LANES_B) begin : in_b
                always @(posedge clk_b)
                    if (mask_b != 0)
                        memory[place_b] <= (memory[place_b] & ~mask_b) | (values_b[9*k +: 9] & mask_b);
                wire [8:0] clash [0:LANES_A];
                assign clash[0] = 0;
                for (j = 0; j < LANES_A; j = j + 1) begin : other
                    assign clash[j+1] = clash[j] |
                        (places_a[11*j +: 11] == place_b ? masks_a[9*j +: 9] : 9'd0);
                end
                assign found_b[9*k +: 9] = memory[place_b] ^ clash[LANES_A];
            end else assign found_b[9*k +: 9] = 0;
        end
    endgenerate

    synloom_block_ram_output #(WIDTH_A, MODE_A, ASYNC) output_a (
        clk_a, en_a, we_a, clear_a, ad_a[2:0], found_a, masks_a, values_a, do_a);
    synloom_block_ram_output #(WIDTH_B, MODE_B, ASYNC) output_b (
        clk_b, en_b, we_b, clear_b, ad_b[2:0], found_b, masks_b, values_b, do_b);
endmodule

// Which bytes, and which bits of them, a port reaches.
module synloom_block_ram_port #(parameter WIDTH = 9) (
    input writes,
    input [3:0] bytes,  // enables of whole bytes, from 18 bits on
    input [13:0] ad,
    input [35:0] di,
    output [43:0] places,  // 4 addresses of bytes
    output [35:0] masks,  // of each byte, the bits that are written
    output [35:0] values
);
    localparam LANES = WIDTH < 9 ? 1 : WIDTH / 9;
    wire [10:0] first = ad[13:3] & ~(11'd1 * (LANES - 1));
    wire [2:0] bit_in_byte = ad[2:0] & ~(3'd1 * (WIDTH - 1));
    genvar k;
    generate
        case (WIDTH)
            1, 2, 4, 9, 18, 36: ;
            default: $fatal(1, "a block memory of %0d bits is not modelled", WIDTH);
        endcase
        for (k = 0; k < 4; k = k + 1) begin : lane
            assign places[11*k +: 11] = first | k;
            if (WIDTH < 9) begin : bits
                assign masks[9*k +: 9] = writes && k == 0 ? 9'((1 << WIDTH) - 1) << bit_in_byte : 9'd0;
                assign values[9*k +: 9] = 9'(di[3:0]) << bit_in_byte;
            end else begin : whole
                assign masks[9*k +: 9] = writes && k < LANES && (WIDTH < 18 || bytes[k]) ? 9'h1FF : 9'd0;
                assign values[9*k +: 9] = di[9*k +: 9];
            end
        end
    endgenerate
endmodule

// What a port shows from the next edge on.
module synloom_block_ram_output #(parameter WIDTH = 9, parameter MODE = 0, parameter ASYNC = 0) (
    input clk, en, we, clear,
    input [2:0] ad,
    input [35:0] found, masks, values,
    output reg [35:0] q
);
    wire [35:0] seen = MODE == 1 && we ? (found & ~masks) | (values & masks) : found;
    wire [35:0] aligned = WIDTH < 9 ? (seen >> (ad & ~(3'd1 * (WIDTH - 1)))) & ((36'd1 << WIDTH) - 1) : seen;
    wire shows = en && !(we && MODE == 0);
    initial q = 0;
    generate
        case (MODE)
            0, 1, 2: ;
            default: $fatal(1, "write mode %0d of a block memory is not modelled", MODE);
        endcase
        if (ASYNC) begin : at_once
            always @(posedge clk, posedge clear)
                if (clear) q <= 0;
                else if (shows) q <= aligned;
        end else begin : at_the_edge
            always @(posedge clk)
                if (clear) q <= 0;
                else if (shows) q <= aligned;
        end
    endgenerate
endmodule
