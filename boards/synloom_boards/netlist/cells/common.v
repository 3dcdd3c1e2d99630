// What the models of several families share.

// Extend an operand of a multiplier to twice its width.
module synloom_operand #(parameter WIDTH = 18) (
    input is_signed,
    input [WIDTH-1:0] operand,
    output [2*WIDTH-1:0] wide
);
    assign wide = {{WIDTH{is_signed & operand[WIDTH-1]}}, operand};
endmodule

// A PLL locks some clocks after power-up, and again after each reset.
module synloom_pll (input clk, reset, output lock);
    reg [4:0] count = 0;
    always @(posedge clk)
        if (reset) count <= 0;
        else if (!lock) count <= count + 5'd1;
    assign lock = count[4];
endmodule
