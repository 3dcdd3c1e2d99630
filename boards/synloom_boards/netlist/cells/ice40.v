// iCE40 cells of our own: yosys has behaviour for memories and pins, but Verilator cannot read all of it,
// and memories leave open here what the vendor leaves open (FPGA-TN-02002, FPGA-TN-02022): it comes out
// inverted, so that nothing can rely on it. The PLL (FPGA-TN-02052) is a black box in yosys. The 16
// parameters of a memory's contents come as one.

// Modes 0 to 3: words of 16, 8, 4, 2 bits. Of a word of 16 bits, a narrow one is every 2nd, 4th, 8th bit.
module SB_RAM40_4K (
    output [15:0] RDATA,
    input RCLK, RCLKE, RE,
    input [10:0] RADDR,
    input WCLK, WCLKE, WE,
    input [10:0] WADDR,
    input [15:0] MASK, WDATA
);
    parameter WRITE_MODE = 0, READ_MODE = 0, INIT_FILE = "";
    parameter [4095:0] INIT = 0;
    generate
        if (INIT_FILE != "") $fatal(1, "SB_RAM40_4K: INIT_FILE is not modelled");
        if (WRITE_MODE > 3 || READ_MODE > 3) $fatal(1, "SB_RAM40_4K: a mode above 3 is not known");
    endgenerate

    reg [15:0] memory [0:255];
    integer n;
    initial for (n = 0; n < 256; n = n + 1) memory[n] = INIT[16*n +: 16];

    wire [15:0] mask, data, found;
    wire writes = WE & WCLKE;
    wire clashes = writes && WADDR[7:0] == RADDR[7:0];
    wire [15:0] word = memory[RADDR[7:0]] ^ (clashes ? mask : 16'd0);
    synloom_ram40_write #(WRITE_MODE) write_bits (WADDR[10:8], MASK, WDATA, mask, data);
    synloom_ram40_read #(READ_MODE) read_bits (RADDR[10:8], word, found);

    always @(posedge WCLK)
        if (writes) memory[WADDR[7:0]] <= (memory[WADDR[7:0]] & ~mask) | (data & mask);

    reg [15:0] shown = 0;
    always @(posedge RCLK)
        if (RE & RCLKE) shown <= found;
    assign RDATA = shown;
endmodule

// Which bits of a word are written, and with what.
module synloom_ram40_write #(parameter MODE = 0) (
    input [2:0] place,
    input [15:0] keep, value,
    output [15:0] mask, data
);
    localparam STEP = 1 << MODE, PIN = MODE == 3 ? 3 : MODE == 2 ? 1 : 0;
    genvar k;
    generate
        for (k = 0; k < 16; k = k + 1) begin : bits
            assign mask[k] = MODE == 0 ? ~keep[k] : (place & (STEP - 1)) == k % STEP;
            assign data[k] = value[k / STEP * STEP + PIN];
        end
    endgenerate
endmodule

// Where the bits of a narrow word are seen.
module synloom_ram40_read #(parameter MODE = 0) (
    input [2:0] place,
    input [15:0] word,
    output [15:0] value
);
    localparam STEP = 1 << MODE, PIN = MODE == 3 ? 3 : MODE == 2 ? 1 : 0;
    wire [2:0] offset = place & (STEP - 1);
    genvar k;
    generate
        for (k = 0; k < 16; k = k + 1) begin : bits
            if (k % STEP == PIN) begin : seen
                wire [STEP-1:0] group = word[k - PIN +: STEP];
                assign value[k] = group[offset];
            end else assign value[k] = 1'b0;
        end
    endgenerate
endmodule

// 16,384 words of 16 bits; nothing is known of them at power-up, nor of the output after a write.
module SB_SPRAM256KA (
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output reg [15:0] DATAOUT
);
    reg [15:0] memory [0:16383];
    integer n;
    initial begin
        DATAOUT = 16'hBAD0;
        for (n = 0; n < 16384; n = n + 1) memory[n] = 16'h5AA5 ^ n[15:0];
    end

    wire works = CHIPSELECT & ~STANDBY & ~SLEEP & POWEROFF;  // POWEROFF is low if it is off
    wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};
    always @(posedge CLOCK) begin
        if (works & WREN) memory[ADDRESS] <= (memory[ADDRESS] & ~mask) | (DATAIN & mask);
        if (!POWEROFF) memory[ADDRESS] <= ~memory[ADDRESS];
        if (works) DATAOUT <= WREN ? ~DATAIN : memory[ADDRESS];
        else if (STANDBY | SLEEP | ~POWEROFF) DATAOUT <= ~DATAOUT;
    end
endmodule

// A pin without registers: an input, an output, or both.
module SB_IO (
    inout PACKAGE_PIN,
    input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output D_IN_0, D_IN_1
);
    parameter PIN_TYPE = 6'b000000, PULLUP = 1'b0, NEG_TRIGGER = 1'b0, IO_STANDARD = "SB_LVCMOS";
    assign D_IN_0 = PACKAGE_PIN, D_IN_1 = 1'b0;
    generate
        case (PIN_TYPE)
            6'b000001: ;
            6'b011001: assign PACKAGE_PIN = D_OUT_0;
            6'b101001: assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
            default: $fatal(1, "SB_IO: PIN_TYPE %b is not modelled", PIN_TYPE);
        endcase
    endgenerate
endmodule

// The clock goes through: how often it beats in a second is nothing that a simulation sees.
module SB_PLL40_PAD (
    input PACKAGEPIN, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
    input [7:0] DYNAMICDELAY,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO
);
    parameter FEEDBACK_PATH = "SIMPLE", DELAY_ADJUSTMENT_MODE_FEEDBACK = "FIXED";
    parameter DELAY_ADJUSTMENT_MODE_RELATIVE = "FIXED", SHIFTREG_DIV_MODE = 1'b0;
    parameter FDA_FEEDBACK = 4'b0000, FDA_RELATIVE = 4'b0000, PLLOUT_SELECT = "GENCLK";
    parameter DIVR = 4'b0000, DIVF = 7'b0000000, DIVQ = 3'b000, FILTER_RANGE = 3'b000;
    parameter ENABLE_ICEGATE = 1'b0, TEST_MODE = 1'b0, EXTERNAL_DIVIDE_FACTOR = 1;
    generate
        if (FEEDBACK_PATH != "SIMPLE") $fatal(1, "SB_PLL40_PAD: this FEEDBACK_PATH is not modelled");
        if (PLLOUT_SELECT != "GENCLK") $fatal(1, "SB_PLL40_PAD: this PLLOUT_SELECT is not modelled");
        if (TEST_MODE || ENABLE_ICEGATE) $fatal(1, "SB_PLL40_PAD: test mode and ice gate are not modelled");
    endgenerate
    synloom_pll pll (PACKAGEPIN, ~RESETB, LOCK);
    assign PLLOUTCORE = PACKAGEPIN, PLLOUTGLOBAL = PACKAGEPIN, SDO = 0;
endmodule
